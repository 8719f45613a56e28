package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/starter"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/oauth/apikey"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/spf13/cobra"
)

func scopesCommand(r *invocation) *cobra.Command {
	var from string
	var sources auditSources
	cmd := &cobra.Command{
		Use:   "scopes [WORD]",
		Short: "list the scopes that exist, marked as declared, implied or granted",
		Long: `scopes lists every scope that is known to exist: what the server lists, what the
resources of the manifest list, and what the provider file knows, with what each allows
where one of them says it. It marks what the manifest declares, what a declared scope
covers, and what the stored login holds. WORD is looked for in names and descriptions.
With --openapi or --mcp-tools the scopes that these name are among them, with what they
say about each. Nobody logs in. Where the server does not answer, what it listed last is shown, or what
the provider file knows.

Exit codes: 0; 2 a mistake in the manifest, or no scope speaks of WORD; 6 nobody knows
which scopes exist: the server does not answer or lists none, and the provider file
knows none.`,
		Example: "  ambit scopes\n  ambit scopes issue\n  ambit scopes --from gitlab\n  ambit scopes --from https://auth.example.com",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return failure.New(failure.ExitUsage, "scopes takes one word", "see: ambit scopes --help")
			}
			return nil
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return offeredWords(r, cmd, args), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.action(func(ctx context.Context) (view.View, error) {
				return runScopes(ctx, r, from, strings.Join(args, ""), &sources)
			})(cmd, nil)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "without a manifest: the `PROVIDER`, a built-in one, a provider file, or an issuer's URL")
	sources.addDescriptions(cmd, "openapi", "mcp-tools")
	return cmd
}

func runScopes(ctx context.Context, r *invocation, from, word string, sources *auditSources) (view.View, error) {
	m, err := manifestOrFrom(r, from)
	if err != nil {
		return nil, err
	}
	ui := r.ui()
	ui.Ask = nil // what is asked for here is public
	s, err := r.openOn(m, apikey.Sources{}, ui)
	if err != nil {
		return nil, err
	}
	offering, err := s.Offer(ctx)
	if err != nil {
		return nil, failure.Of(s, err)
	}
	described, err := sources.descriptions(ctx, r)
	if err != nil {
		return nil, err
	}
	offering.Offer = offering.With(described.Vocabulary(), described.About)
	v := &view.Scopes{Offering: offering, Shown: offering.Offer, Word: word}
	if from == "" {
		v.File = m.File
		if v.Needs, err = m.Select(m.ProgramNames()...); err != nil {
			return nil, err
		}
		v.Granted = grantedNow(ctx, s)
	}
	v.Unoffered = offering.Unoffered(v.Needs, s.Provider().Implies)
	if offering.Err != nil {
		r.console.Note("%s", failure.As(failure.Of(s, offering.Err)).Message)
	}
	if len(offering.Offer) == 0 {
		return v, nobodyKnows(s)
	}
	if word != "" {
		v.Unoffered = nil
		if v.Shown = offering.Matching(word); len(v.Shown) == 0 {
			hint := cmp.Or(text.DidYouMean(offering.Near(word)), text.DidYouMean(offering.NearWord(word)), "all of them: "+allOf(from, s))
			return v, failure.New(failure.ExitUsage, fmt.Sprintf("no scope speaks of %s", text.Quote(word)), hint)
		}
	}
	return v, nil
}

// allOf is the command that shows every scope.
func allOf(from string, s *ambit.Session) string {
	if from != "" {
		return "ambit scopes --from " + advice.ShellWord(from)
	}
	return failure.Command("ambit scopes", s)
}

// nobodyKnows is the failure of a service of which no scope is known.
func nobodyKnows(s *ambit.Session) error {
	return failure.New(failure.ExitCannotTell, fmt.Sprintf("%s lists no scopes, and the provider file knows none", text.Printable(provider.HostOf(s.Server().Issuer))),
		"its documentation names them; a provider file can list them: scopes: {table: [{scope: …, about: …}]}")
}

// manifestOrFrom is the manifest, or one that declares nothing at the provider that is named.
func manifestOrFrom(r *invocation, from string) (*manifest.Manifest, error) {
	if from != "" {
		draft := starter.Manifest{Name: "scopes", Service: named(from)}
		m, err := manifest.Decode(ambit.ManifestName, draft.Text(), yamlfile.Read)
		if err != nil {
			return nil, noManifest(ambit.ManifestName, from, err)
		}
		return m, nil
	}
	m, err := r.manifest()
	if errors.Is(err, ambit.ErrNoManifest) {
		return nil, failure.From(failure.ExitUsage, err, "name a service: ambit scopes --from PROVIDER; or write a manifest: ambit init")
	}
	return m, err
}

// grantedNow is what the stored login holds, by what was recorded; nil where there is none, or nobody knows.
func grantedNow(ctx context.Context, s *ambit.Session) *scopes.Set {
	h, err := s.FindStored(ctx)
	if err != nil || !h.IsLogin() || h.Credential.KnownBy.Unlisted() {
		return nil
	}
	return &h.Credential.Scopes
}

func explainCommand(r *invocation) *cobra.Command {
	var keys *keyFlags
	var sources auditSources
	cmd := &cobra.Command{
		Use:   "explain SCOPE | 'METHOD {base}/path' | tool:NAME",
		Short: "show why a scope is declared, what needs it, and what covers it",
		Long: `explain shows what the manifest says about a scope, an operation or an MCP tool: level,
reason, file and line, and the programs that use it. It also shows what would cover it,
whether the server advertises it, and whether the current credential holds it. Of a scope
that is not declared it shows who lists it and what it allows. With --openapi or
--mcp-tools it shows what these say of the scope, or that an operation needs.

Exit codes: 0 the manifest declares it; 2 it does not, or wrong usage.`,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return explainedWords(r, cmd, args), cobra.ShellCompDirectiveNoFileComp
		},
		Example: "  ambit explain x:read\n  ambit explain 'POST /v1/messages'\n  ambit explain tool:insight-create",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return failure.New(failure.ExitUsage, "explain takes one scope, operation or tool", "see: ambit explain --help")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.action(func(ctx context.Context) (view.View, error) { return runExplain(ctx, r, args[0], keys, &sources) })(cmd, nil)
		},
	}
	keys = addKeyFlags(cmd.Flags())
	sources.addDescriptions(cmd, "openapi", "mcp-tools")
	return cmd
}

func runExplain(ctx context.Context, r *invocation, about string, keys *keyFlags, sources *auditSources) (view.View, error) {
	p, err := r.open(keys)
	if err != nil {
		return nil, err
	}
	proof := &audit.Evidence{}
	if sources.described() {
		if proof, err = gather(ctx, r, p, sources); err != nil {
			return nil, err
		}
	}
	all, err := p.Manifest().Select(p.Manifest().ProgramNames()...)
	if err != nil {
		return nil, err
	}
	about = strings.TrimSpace(about)
	is, err := subject(p, all, about)
	if err != nil {
		return nil, err
	}
	needs := slices.DeleteFunc(slices.Clone(all), func(e scopes.Need) bool { return !is(e) })
	if len(needs) == 0 {
		return notDeclared(ctx, r, p, all, about, proof)
	}
	advertised := advertisedNow(ctx, r, p)
	holds := holdsNow(ctx, r, p)
	v := &view.Explain{About: about}
	for _, e := range needs {
		x := view.ExplainedNeed{Need: e, Advertised: advertised(e), Held: holds(e)}
		if x.Advertised == scopes.AdvertisedNo && !e.Unadvertised {
			x.Near = p.LastOffer().NearAny(e.AnyOf)
		}
		for _, scope := range e.AnyOf {
			if about := cmp.Or(p.Provider().Scopes.About(scope), proof.About[scope]); about != "" {
				x.Allows = append(x.Allows, about)
			}
			x.CoveredBy = append(x.CoveredBy, slices.Collect(p.Provider().Implies.Covering(scope))...)
		}
		v.Entries = append(v.Entries, x)
	}
	return v, nil
}

// notDeclared tells of what no need speaks of: of a scope that exists what is known of it, of anything else what
// may be meant.
func notDeclared(ctx context.Context, r *invocation, p *ambit.Session, all []scopes.Need, about string, proof *audit.Evidence) (view.View, error) {
	said := fmt.Sprintf("%s does not declare %q", p.Manifest().File, about)
	var declared, operations []string
	for _, e := range all {
		declared = append(declared, e.AnyOf...)
		for _, u := range e.UsedBy {
			operations = append(operations, u.String())
		}
	}
	for _, request := range requestsFor(p, about) {
		if found := proof.For(request); len(found) > 0 {
			return nil, failure.New(failure.ExitUsage, said, found[0].Says())
		}
	}
	if near := text.Near(about, operations); len(near) > 0 || scopes.CheckScope(about) != nil || strings.HasPrefix(about, toolMark) {
		return nil, failure.New(failure.ExitUsage, said, cmp.Or(text.DidYouMean(near), "the scope that needs it names it under used_by; which one that is, a description can say: ambit audit --help"))
	}
	offering, err := p.Offer(ctx)
	if err != nil {
		r.console.Note("which scopes the server has is unknown: %s", failure.As(failure.Of(p, err)).Message)
	}
	offering.Offer = offering.With(proof.Vocabulary(), proof.About)
	at := slices.IndexFunc(offering.Offer, func(one scopes.Offered) bool { return one.Scope == about })
	if at < 0 {
		return nil, failure.New(failure.ExitUsage, said, text.DidYouMean(meantBy(about, offering.Offer, declared)))
	}
	v := &view.Explain{About: about, Offered: &view.ExplainedScope{
		Offered: offering.Offer[at], CoveredBy: slices.Collect(p.Provider().Implies.Covering(about)), Held: holdsNow(ctx, r, p)(scopes.Need{AnyOf: []string{about}}),
	}}
	return v, failure.New(failure.ExitUsage, said, fmt.Sprintf("to declare it, add under scopes: - {scope: %q, level: recommended, why: what it is for}", about))
}

// meantBy are the scopes that someone may have meant: those that exist, before those that are only declared.
func meantBy(word string, offer scopes.Offer, declared []string) []string {
	if near := offer.Near(word); len(near) > 0 {
		return near
	}
	return scopes.Near(word, declared)
}

// toolMark begins the name of a tool, where a scope could stand.
const toolMark = "tool:"

// subject reads what someone asks about: a tool, an operation (its base may be left
// out), or else a scope.
func subject(p *ambit.Session, all []scopes.Need, about string) (func(scopes.Need) bool, error) {
	if asksOperation(about) {
		if _, err := scopes.ParseTyped(about); err != nil {
			return nil, failure.New(failure.ExitUsage, text.Printable(err.Error()), "")
		}
		return declaredFor(all, requestsFor(p, about)...), nil
	}
	if err := scopes.CheckScope(about); err != nil {
		return nil, failure.New(failure.ExitUsage, text.Printable(err.Error()), "")
	}
	return func(e scopes.Need) bool { return slices.Contains(e.AnyOf, about) || e.Name() == about }, nil
}

func asksOperation(about string) bool {
	return strings.HasPrefix(about, toolMark) || strings.Contains(about, " ")
}

// requestsFor are the operations that someone asks about: on each base, where none is named; none for a scope.
func requestsFor(p *ambit.Session, about string) []scopes.Operation {
	want, err := scopes.ParseTyped(about)
	switch {
	case !asksOperation(about) || err != nil:
		return nil
	case want.Tool != "" || want.Base != "":
		return []scopes.Operation{want}
	}
	var requests []scopes.Operation
	for _, base := range p.Provider().BaseNames() {
		want.Base = base
		requests = append(requests, want)
	}
	return requests
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
