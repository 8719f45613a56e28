package cli

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/text"
)

func (r *run) doctorCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "find settings, logins and variables that would override the credential of ambit run",
		Long: `doctor looks where the known agent programs keep settings and logins, and into the
environment, for what would override the credential that "ambit run" lends. Values are
never read, only the names of what has one.

Exit codes: 0 nothing overrides the lent credential; 5 something does.`,
		Args: noArguments,
		RunE: r.action(func(context.Context) (view, error) { return r.doctor(name) }),
	}
	cmd.Flags().StringVar(&name, "agent", "", "look only for the agent of this `NAME`")
	return cmd
}

// A doctorView is ambit.doctor/v1.
type doctorView struct {
	Agents []examined `json:"agents"`
}

// An examined agent, and what would override its credential.
type examined struct {
	Agent     string             `json:"agent"`
	Conflicts []profile.Conflict `json:"conflicts"`

	label string
}

func (r *run) doctor(name string) (view, error) {
	profiles, err := profile.All()
	if err != nil {
		return nil, err
	}
	if name != "" {
		one, err := profile.ByName(name)
		if err != nil {
			return nil, fail(exitUsage, text.Printable(err.Error()), "")
		}
		profiles = []*profile.Profile{one}
	}
	here, _ := os.Getwd()
	v := doctorView{Agents: []examined{}}
	overriding := 0
	for _, p := range profiles {
		found := append([]profile.Conflict{}, p.Scan(scanPlace(r.env, here))...)
		v.Agents = append(v.Agents, examined{p.Name, found, p.Label})
		overriding += len(profile.Overriding(found))
	}
	if overriding > 0 {
		return v, fail(exitFindings, text.Count(overriding, "setting")+" would override the lent credential", "")
	}
	return v, nil
}

func (v doctorView) text(p *printer) {
	quiet := true
	for _, a := range v.Agents {
		for _, c := range a.Conflicts {
			quiet = false
			p.wrapped("  ", p.paint.bold(text.Printable(a.label))+": "+doctorLine(c))
		}
	}
	if quiet {
		p.line("%s", p.paint.green("nothing overrides the lent credential"))
	}
}

func doctorLine(c profile.Conflict) string {
	if c.Overrides {
		return conflictLine(c)
	}
	line := text.Printable(c.Path)
	for i, key := range c.Keys {
		line += map[bool]string{true: ": ", false: ", "}[i == 0] + text.Printable(key)
	}
	if c.Problem != "" {
		line += ": " + text.Printable(c.Problem)
	}
	return line + " (overrides nothing)"
}

func (v doctorView) json(e envelope) any {
	return struct {
		envelope
		doctorView
	}{e, v}
}
