package cli

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
)

func doctorCommand(r *invocation) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "find settings, logins and variables that would override the credential of ambit run",
		Long: `doctor looks at the settings and logins of the known agent programs, and at the
environment, for whatever would override the credential that "ambit run" lends. It
reads the names of what is set, and never a value.

Exit codes: 0 nothing overrides the lent credential; 5 something does.`,
		Args: noArguments,
		RunE: r.action(func(context.Context) (view.View, error) { return runDoctor(r, name) }),
	}
	cmd.Flags().StringVar(&name, "agent", "", "look only for this agent: its `NAME`, or a file of yours")
	return cmd
}

func runDoctor(r *invocation, name string) (view.View, error) {
	profiles, err := profile.All()
	if err != nil {
		return nil, err
	}
	if name != "" {
		one, err := namedAgent(name)
		if err != nil {
			return nil, err
		}
		profiles = []*profile.Profile{one}
	}
	here, _ := os.Getwd()
	v := view.Doctor{Agents: []view.ExaminedAgent{}}
	overriding := 0
	for _, p := range profiles {
		found := append([]profile.Conflict{}, p.Scan(scanPlace(r.env, here))...)
		v.Agents = append(v.Agents, view.ExaminedAgent{Agent: p.Name, Conflicts: found, Label: p.Label})
		overriding += len(profile.Overriding(found))
	}
	if overriding > 0 {
		return v, fail(exitFindings, text.Count(overriding, "setting")+" would override the lent credential", "")
	}
	return v, nil
}
