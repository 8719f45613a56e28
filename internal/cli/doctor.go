package cli

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/scopes/provider"
)

func doctorCommand(r *invocation) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "check this setup, and what would override the credential of ambit run",
		Long: `doctor looks at the settings and logins of the known agent programs, and at the
environment, for whatever would override the credential that "ambit run" lends. It
reads the names of what is set, and never a value. It also names MCP servers that their
files hold by the real address of the provider: what goes there goes past ambit run.

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
	place := scanPlace(r.env, here)
	place.Hosts = knownHosts(r)
	v := view.Doctor{Agents: []view.ExaminedAgent{}}
	overriding := 0
	for _, p := range profiles {
		found := append([]profile.Conflict{}, p.Scan(place)...)
		v.Agents = append(v.Agents, view.ExaminedAgent{Agent: p.Name, Conflicts: found, Label: p.Label})
		overriding += len(profile.Overriding(found))
	}
	if overriding > 0 {
		return v, failure.New(failure.ExitFindings, text.Count(overriding, "setting")+" would override the lent credential", "")
	}
	return v, nil
}

// knownHosts are those of the manifest's provider or, where no manifest can be read, of all that
// are built in.
func knownHosts(r *invocation) (hosts []string) {
	if m, err := r.manifest(); err == nil {
		return hostsOf(m.Provider)
	}
	for _, name := range provider.BuiltinNames() {
		if p, err := provider.Builtin(name); err == nil {
			hosts = append(hosts, hostsOf(p)...)
		}
	}
	return hosts
}
