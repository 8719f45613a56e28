package cli

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ambit-auth/ambit/internal/manual"
)

// A shell is offered each value of a flag that takes no other, as the help names them.
func TestClosedSetsAreOffered(t *testing.T) {
	sets := 0
	everyCommand(func(cmd *cobra.Command) {
		flags := cmd.LocalFlags()
		flags.VisitAll(func(f *pflag.Flag) {
			values := strings.Split(manual.Described(f).Value, "|")
			if len(values) < 2 {
				return
			}
			sets++
			var out strings.Builder
			c := Command{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &strings.Builder{}, Env: []string{"HOME=" + t.TempDir()}}
			args := append([]string{cobra.ShellCompRequestCmd}, strings.Fields(cmd.CommandPath())[1:]...)
			if code := c.Main(context.Background(), append(args, "--"+f.Name, "")); code != 0 {
				t.Errorf("%s --%s: exit code %d", cmd.CommandPath(), f.Name, code)
			}
			offered := strings.Split(out.String(), "\n")
			for _, value := range values {
				if value, _, _ = strings.Cut(value, "NAME"); !slices.Contains(offered, value) {
					t.Errorf("%s --%s: %s is not offered: %q", cmd.CommandPath(), f.Name, value, offered)
				}
			}
		})
	})
	if sets < 6 {
		t.Errorf("only %d flags have a closed set", sets)
	}
}
