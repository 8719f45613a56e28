package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/oauth/apikey"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes/provider"
)

func doctorCommand(r *invocation) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "check this setup, and what would override the credential of ambit run",
		Long: `doctor goes through a checklist. It looks at the settings, logins and variables of the
known agent programs for whatever would override the credential that "ambit run" lends:
it reads the names of what is set, and never a value. It also names MCP servers that their
files address directly: what goes there bypasses ambit run. Then it checks the manifest,
the store of logins, the trusted hosts, whether the server answers, and this machine's
clock.

Each line has a mark: + fine, ! look at it, - a conflict, ? not known. With -v what is
fine has a line too.

Exit codes: 0 nothing overrides the lent credential; 5 something does.`,
		Args: noArguments,
		RunE: r.action(func(ctx context.Context) (view.View, error) { return runDoctor(ctx, r, name) }),
	}
	cmd.Flags().StringVar(&name, "agent", "", "look only for this agent: its `NAME`, or a file of yours")
	return cmd
}

func runDoctor(ctx context.Context, r *invocation, name string) (view.View, error) {
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
	v := view.Doctor{Agents: []view.ExaminedAgent{}, Detail: r.settings.Verbose}
	overriding := 0
	for _, p := range profiles {
		found := append([]profile.Conflict{}, p.Scan(place)...)
		v.Agents = append(v.Agents, view.ExaminedAgent{Agent: p.Name, Conflicts: found, Label: p.Label})
		overriding += len(profile.Overriding(found))
	}
	v.Checks = append(examinedAgents(v.Agents), examineSetup(ctx, r)...)
	if overriding > 0 {
		return v, failure.New(failure.ExitFindings, text.Count(overriding, "setting")+" would override the lent credential", "")
	}
	return v, nil
}

// examinedAgents has a line for each conflict, or one for all agents without any.
func examinedAgents(agents []view.ExaminedAgent) (list []view.Examined) {
	var quiet []string
	for _, a := range agents {
		if len(a.Conflicts) == 0 {
			quiet = append(quiet, a.Label)
		}
		for _, c := range a.Conflicts {
			state := view.StateLook
			if len(profile.Overriding([]profile.Conflict{c})) > 0 {
				state = view.StateConflict
			}
			list = append(list, view.Examined{Name: a.Label, State: state, Message: view.ConflictLine(c)})
		}
	}
	if len(quiet) > 0 {
		list = append(list, view.Examined{Name: "agents", State: view.StateFine, Message: "nothing overrides the credential for " + text.Listed(quiet)})
	}
	return list
}

// examineSetup goes through what a login and a check need. Nothing is asked of a person, and no
// credential is read or sent.
func examineSetup(ctx context.Context, r *invocation) []view.Examined {
	list := []view.Examined{{Name: "version", State: view.StateFine, Message: view.ReadVersion().Line()}, examineStore(ctx, r)}
	m, err := r.manifest()
	switch {
	case errors.Is(err, ambit.ErrNoManifest):
		return append(list, view.Examined{Name: "manifest", State: view.StateUnknown, Message: ambit.ErrNoManifest.Error() + ", so no server is known to ask"})
	case err != nil:
		return append(list, troubled("manifest", err, advice.Step{Text: "see every mistake", Command: "ambit plan"}))
	}
	list = append(list, view.Examined{Name: "manifest", State: view.StateFine, Message: m.File})
	s, err := r.openOn(m, apikey.Sources{}, ambit.UI{}) // nobody is asked
	if err != nil {
		return append(list, troubled("settings", err))
	}
	trusted := view.Examined{Name: "trusted hosts", State: view.StateFine, Message: "every host that the manifest names may get a credential"}
	if _, err := s.Trust(ctx); err != nil {
		trusted = troubled("trusted hosts", r.failure(s, err))
	}
	return append(append(list, trusted), examineServer(ctx, r, s)...)
}

// troubled is what to look at, by its error; steps where the error has no way out of its own.
func troubled(name string, err error, steps ...advice.Step) view.Examined {
	f := failure.As(err)
	if f.Hint != "" {
		steps = []advice.Step{{Text: f.Hint}}
	}
	return view.Examined{Name: name, State: view.StateLook, Message: view.FirstLine(f.Message), Next: steps}
}

// examineStore looks for a login that nobody has: the store has to say so.
func examineStore(ctx context.Context, r *invocation) view.Examined {
	in := r.store()
	if in == nil {
		in = store.Keyring{}
	}
	if _, elsewhere := in.(*store.Exec); elsewhere {
		return view.Examined{Name: "store", State: view.StateUnknown, Message: "a program, which is not run for this"}
	}
	_, err := in.Load(ctx, store.Key{Issuer: "https://doctor.invalid", Manifest: "doctor"})
	if err == nil || errors.Is(err, store.ErrNotFound) {
		return view.Examined{Name: "store", State: view.StateFine, Message: "logins are kept in " + in.Name()}
	}
	return troubled("store", failure.Of(nil, err))
}

// examineServer asks the server for its front page, whatever that is, and compares the clocks.
func examineServer(ctx context.Context, r *invocation, s *ambit.Session) []view.Examined {
	address := s.Server().Issuer
	for _, base := range s.Server().Bases {
		address = cmp.Or(address, base.URL)
	}
	client, err := r.httpClient()
	if err != nil {
		return []view.Examined{troubled("server", err)}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return []view.Examined{troubled("server", failure.From(failure.ExitUsage, err, ""))}
	}
	before := time.Now()
	response, err := (&guard.Requester{HTTP: client, AnyStatus: true}).Begin(request)
	host := text.Printable(provider.HostOf(address))
	if err != nil {
		return []view.Examined{troubled("server", failure.Of(s, err)), {Name: "clock", State: view.StateUnknown, Message: "no server says what time it is"}}
	}
	return []view.Examined{
		{Name: "server", State: view.StateFine, Message: host + " answers"},
		examineClock(host, response.Header, before, time.Now()),
	}
}

// clockSlack is how far two clocks may be apart: servers allow a minute or more in what is signed, and a
// Date has whole seconds.
const clockSlack = time.Minute

// examineClock compares the Date of a response with when it was under way here.
func examineClock(host string, header http.Header, before, after time.Time) view.Examined {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil || header.Get("Age") != "" { // an old one, kept by a proxy
		return view.Examined{Name: "clock", State: view.StateUnknown, Message: host + " does not say what time it is"}
	}
	off := max(before.Sub(date)-clockSlack, 0)
	words := "ahead of"
	if behind := date.Sub(after) - clockSlack; behind > 0 {
		off, words = behind, "behind"
	}
	if off == 0 {
		return view.Examined{Name: "clock", State: view.StateFine, Message: "this machine's clock agrees with " + host}
	}
	return view.Examined{
		Name: "clock", State: view.StateLook,
		Message: fmt.Sprintf("this machine's clock is %s %s that of %s; logins and certificates may count as expired", strings.TrimSuffix((off+clockSlack).Round(time.Minute).String(), "0s"), words, host),
		Next:    []advice.Step{{Text: "set the clock"}},
	}
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
