package view

import (
	"runtime"
	"runtime/debug"
)

// A Version is ambit.version/v1.
type Version struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	System  string `json:"system"`
}

// Text implements [View].
func (v Version) Text(p *Printer) { p.line("ambit %s %s %s", v.Version, v.Go, v.System) }

// JSON implements [View].
func (v Version) JSON(e Envelope) any {
	return struct {
		Envelope
		Version
	}{e, v}
}

// ReadVersion is the version of this program, as it was built.
func ReadVersion() Version {
	v := Version{Version: "devel", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	return v
}
