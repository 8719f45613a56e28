package cli

import (
	"context"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (r *run) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version",
		Args:  noArguments,
		RunE:  r.action(func(context.Context) (view, error) { return readVersion(), nil }),
	}
}

// A versionView is ambit.version/v1.
type versionView struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	System  string `json:"system"`
}

func readVersion() versionView {
	v := versionView{Version: "devel", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	return v
}

func (v versionView) text(p *printer) { p.line("ambit %s %s %s", v.Version, v.Go, v.System) }

func (v versionView) json(e envelope) any {
	return struct {
		envelope
		versionView
	}{e, v}
}
