package cli

import (
	"runtime"
	"runtime/debug"
)

// A versionView is ambit.version/v1.
type versionView struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	System  string `json:"system"`
}

func (v versionView) text(p *printer) { p.line("ambit %s %s %s", v.Version, v.Go, v.System) }

func (v versionView) json(e envelope) any {
	return struct {
		envelope
		versionView
	}{e, v}
}

func readVersion() versionView {
	v := versionView{Version: "devel", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	return v
}
