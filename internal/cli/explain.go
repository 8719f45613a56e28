package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/spf13/cobra"
)

func explainCommand(r *invocation) *cobra.Command {
	var keys *keyFlags
	cmd := &cobra.Command{
		Use:   "explain SCOPE | 'METHOD {base}/path' | tool:NAME",
		Short: "why a scope is declared, what needs it, and what would cover it",
		Long: `explain shows what the manifest says about a scope, an operation or an MCP tool: level,
reason, file and line, and the programs that use it. It also shows what would cover it,
whether the server advertises it, and whether the current credential holds it.

Exit codes: 0 the manifest declares it; 2 it does not, or wrong usage.`,
		Example: "  ambit explain x:read\n  ambit explain 'POST /v1/messages'\n  ambit explain tool:insight-create",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return failure.New(failure.ExitUsage, "explain takes one scope, operation or tool", "see: ambit explain --help")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.action(func(ctx context.Context) (view.View, error) { return runExplain(ctx, r, args[0], keys) })(cmd, nil)
		},
	}
	keys = addKeyFlags(cmd.Flags())
	return cmd
}

func runExplain(ctx context.Context, r *invocation, about string, keys *keyFlags) (view.View, error) {
	p, err := r.open(keys)
	if err != nil {
		return nil, err
	}
	all, err := p.Manifest().Select(p.Manifest().ProgramNames()...)
	if err != nil {
		return nil, err
	}
	needs, err := matching(r, p, all, about)
	if err != nil {
		return nil, err
	}
	advertised := advertisedNow(ctx, r, p)
	holds := holdsNow(ctx, r, p)
	v := &view.Explain{About: about}
	for _, e := range needs {
		x := view.ExplainedNeed{Need: e, Advertised: advertised(e), Held: holds(e)}
		for _, scope := range e.AnyOf {
			if about := p.Provider().Scopes.About(scope); about != "" {
				x.Allows = append(x.Allows, about)
			}
			x.CoveredBy = append(x.CoveredBy, slices.Collect(p.Provider().Implies.Covering(scope))...)
		}
		v.Entries = append(v.Entries, x)
	}
	return v, nil
}

// matching finds the needs that someone asks about.
func matching(r *invocation, p *ambit.Session, all []scopes.Need, about string) ([]scopes.Need, error) {
	about = strings.TrimSpace(about)
	is, err := subject(p, all, about)
	if err != nil {
		return nil, err
	}
	if found := slices.DeleteFunc(slices.Clone(all), func(e scopes.Need) bool { return !is(e) }); len(found) > 0 {
		return found, nil
	}
	var known []string
	for _, e := range all {
		known = append(known, e.AnyOf...)
		for _, u := range e.UsedBy {
			known = append(known, u.String())
		}
	}
	return nil, failure.New(failure.ExitUsage, fmt.Sprintf("%s does not declare %q", p.Manifest().File, about), text.DidYouMean(text.Near(about, known)))
}

// subject reads what someone asks about: a tool, an operation (its base may be left
// out), or else a scope.
func subject(p *ambit.Session, all []scopes.Need, about string) (func(scopes.Need) bool, error) {
	if strings.HasPrefix(about, "tool:") || strings.Contains(about, " ") {
		want, err := scopes.ParseTyped(about)
		if err != nil {
			return nil, failure.New(failure.ExitUsage, text.Printable(err.Error()), "")
		}
		if want.Tool != "" || want.Base != "" {
			return declaredFor(all, want), nil
		}
		var requests []scopes.Operation
		for _, base := range p.Provider().BaseNames() {
			want.Base = base
			requests = append(requests, want)
		}
		return declaredFor(all, requests...), nil
	}
	if err := scopes.CheckScope(about); err != nil {
		return nil, failure.New(failure.ExitUsage, text.Printable(err.Error()), "")
	}
	return func(e scopes.Need) bool { return slices.Contains(e.AnyOf, about) || e.Name() == about }, nil
}

// declaredFor is yes to the needs that are declared for one of the requests.
func declaredFor(all []scopes.Need, requests ...scopes.Operation) func(scopes.Need) bool {
	index := scopes.IndexNeeds(all)
	var names []string
	for _, request := range requests {
		for _, need := range index.For(request) {
			names = append(names, need.Name())
		}
	}
	return func(need scopes.Need) bool { return slices.Contains(names, need.Name()) }
}

// advertisedNow tells what the server says of a need; without the server, that nobody knows.
func advertisedNow(ctx context.Context, r *invocation, p *ambit.Session) func(scopes.Need) scopes.Advertised {
	plan, err := p.Plan(ctx)
	if err != nil {
		r.console.Note("what the server advertises is unknown: %s", failure.As(failure.Of(p, err)).Message)
		return func(scopes.Need) scopes.Advertised { return scopes.AdvertisedUnknown }
	}
	return func(e scopes.Need) scopes.Advertised {
		for _, scope := range e.AnyOf {
			if plan.Advertised().State != scopes.Listed {
				return scopes.AdvertisedUnknown
			}
			if plan.Advertised().Scopes.Has(scope) {
				return scopes.AdvertisedYes
			}
		}
		return scopes.AdvertisedNo
	}
}

// holdsNow reports whether the current credential holds a need; without one, nothing.
func holdsNow(ctx context.Context, r *invocation, p *ambit.Session) func(scopes.Need) string {
	h, err := p.FindStored(ctx)
	if err == nil && !h.IsLogin() {
		err = h.Inspect(ctx)
	}
	if err != nil {
		r.console.Detail("the credential was not examined: %s", failure.As(failure.Of(p, err)).Message)
		return func(scopes.Need) string { return "" }
	}
	return func(e scopes.Need) string {
		scope, by, met := e.MetBy(h.Credential.Scopes, p.Provider().Implies)
		switch {
		case h.Credential.KnownBy.Unlisted():
			return "unknown"
		case !met && h.Credential.KnownBy == scopes.Assumed:
			return "not requested"
		case !met:
			return "no"
		case h.Credential.KnownBy == scopes.Assumed:
			return "assumed"
		case scope != by:
			return "yes, by " + by
		}
		return "yes"
	}
}
