package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/spf13/cobra"
)

func (r *run) planCommand() *cobra.Command {
	var lock, locked bool
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "show what will be asked, what is withheld, and why; no login",
		Long: `plan reads the authorization server's metadata, holds the manifest against it, and
shows for each declared scope whether it will be asked for. Nobody logs in.

Exit codes: 0 all required scopes can be asked for; 2 a mistake in the manifest;
3 a required scope cannot be had from this server; 5 with --locked, the server's
list or the manifest differs from scopes.lock; 6 the server does not say.`,
		Example: "  ambit plan\n  ambit plan --server eu --program slack\n  ambit plan --lock",
		Args:    noArguments,
		RunE:    r.action(func(ctx context.Context) (view, error) { return r.plan(ctx, lock, locked) }),
	}
	cmd.Flags().BoolVar(&lock, "lock", false, "record in scopes.lock what the server advertises and what was negotiated")
	cmd.Flags().BoolVar(&locked, "locked", false, "a difference from scopes.lock is a finding: exit 5")
	return cmd
}

func (r *run) plan(ctx context.Context, write, locked bool) (view, error) {
	if write && locked {
		return nil, fail(exitUsage, "--lock and --locked exclude each other", "")
	}
	p, err := r.openProject()
	if err != nil {
		return nil, err
	}
	lock, err := readLock(p, locked)
	if err != nil {
		return nil, err
	}
	n, err := r.negotiate(ctx, p)
	if err != nil {
		return nil, err
	}
	v := &planView{plan: n.plan}
	if lock != nil && !write {
		v.drift = n.drift(lock)
		v.plan.Drift = append(v.plan.Drift, v.drift.list...)
	}
	if err := n.blocked(); err != nil {
		return v, err
	}
	if write {
		v.locked, err = r.writeLock(ctx, p, n, lock)
		return v, err
	}
	if locked && v.drift.any() {
		return v, fail(exitFindings, "scopes.lock does not fit any more: "+v.drift.words(), lookThenLock(p))
	}
	return v, nil
}

// A negotiation is a plan, and the server's own words that it was made from.
type negotiation struct {
	plan     scopes.Plan
	server   *metadata.AuthorizationServer
	question scopes.Negotiation
	all      []scopes.Need // the needs of the whole manifest, whichever programs were chosen
}

// without negotiates again, without what the server refused.
func (n *negotiation) without(refused scopes.Set) scopes.Plan {
	q := n.question
	q.Refused = q.Refused.Union(refused)
	return scopes.Negotiate(q)
}

// negotiate fetches what the server (and a resource that the manifest names) says
// of itself, and decides what to ask.
func (r *run) negotiate(ctx context.Context, p *project) (*negotiation, error) {
	client, err := r.metadataClient()
	if err != nil {
		return nil, err
	}
	var as *metadata.AuthorizationServer
	var resources []scopes.Resource
	err = r.voice.during("asking "+plain(provider.HostOf(p.server.Issuer)), func() error {
		if as, err = client.AuthorizationServer(ctx, p.server.Issuer); err != nil {
			return metadataFailure(err)
		}
		resources, err = r.resources(ctx, client, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.warnOf(as.Source)
	advertised := as.ScopesSupported
	question := scopes.Negotiation{Needs: p.needs, Implies: p.provider().Implies, Server: advertised, Resources: resources}
	plan := scopes.Negotiate(question)
	suggest(&plan, advertised)
	plan.Manifest = scopes.PlanManifest{Path: p.manifest.File, Name: p.manifest.Name, Programs: append([]string{}, p.programs...)}
	plan.Server = scopes.PlanServer{
		Name: p.server.Name, Issuer: p.server.Issuer, MetadataURL: as.Source.URL, From: as.Source.From, ScopesSupported: advertised.State,
	}
	all, err := p.manifest.Select(p.manifest.ProgramNames()...)
	return &negotiation{plan, as, question, all}, err
}

// resources reads the RFC 9728 document of each base that the manifest names.
func (r *run) resources(ctx context.Context, client *metadata.Client, p *project) ([]scopes.Resource, error) {
	list := []scopes.Resource{}
	for _, base := range p.manifest.Resources {
		u, ok := p.withAPI().Base(base)
		if !ok {
			r.voice.note("server %s has no base %s: its list of scopes is not read", p.server.Name, base)
			continue
		}
		doc, err := client.ProtectedResource(ctx, u)
		if err != nil {
			f := asFailure(metadataFailure(err))
			if e, ok := is[*guard.Error](err); ok && e.Kind == guard.KindNotFound {
				f.Hint = fmt.Sprintf("resource: %s in %s wants the list that it publishes (RFC 9728)", base, plain(p.manifest.File))
			}
			return nil, f
		}
		r.warnOf(doc.Source)
		if others := doc.AuthorizationServers; len(others) > 0 && !slices.ContainsFunc(others, sameIssuer(p.server.Issuer)) {
			r.voice.note("the resource %s takes tokens of %s, and %s is asked", base, plain(some(others)), plain(p.server.Issuer))
		}
		advertises := doc.ScopesSupported
		list = append(list, scopes.Resource{Base: base, URL: u, State: advertises.State, Advertises: advertises})
	}
	return list, nil
}

// sameIssuer compares issuers, but for one final slash.
func sameIssuer(issuer string) func(other string) bool {
	return func(other string) bool { return strings.TrimSuffix(other, "/") == strings.TrimSuffix(issuer, "/") }
}

// warnOf tells what a document's reader had to say, and that an old one stands in.
func (r *run) warnOf(s metadata.Source) {
	for _, warning := range s.Warnings {
		r.voice.note("%s", plain(warning))
	}
}

// metadataFailure gives a metadata error its exit code and way out.
func metadataFailure(err error) error {
	var e *guard.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Kind {
	case guard.KindUsage:
		return &failure{Code: exitUsage, Message: plain(e.Error()), Hint: "", Err: err}
	case guard.KindTLS:
		return &failure{Code: exitCannotTell, Message: plain(e.Error()), Hint: ownAuthority, Err: err}
	case guard.KindCanceled:
		return err
	case guard.KindNotFound:
		return &failure{Code: exitCannotTell, Message: plain(e.Error()), Hint: "is this the issuer's URL? see provider: and --server", Err: err}
	case guard.KindInvalid:
		return &failure{Code: exitCannotTell, Message: plain(e.Error()), Hint: invalidHint(e), Err: err}
	case guard.KindUnreachable:
		return &failure{Code: exitCannotTell, Message: plain(e.Error()), Hint: "is the address right, and can it be reached from here? see provider: and --server; if so, try again when the server answers", Err: err}
	}
	return &failure{Code: exitCannotTell, Message: plain(e.Error()), Hint: "try again when the server answers", Err: err}
}

// invalidHint is the way out of a document that cannot be used. One that speaks of another
// URL than it was asked for is mostly right about itself.
func invalidHint(e *guard.Error) string {
	switch e.Field {
	case "issuer":
		return "write the issuer as the server itself does, see provider: and --server; if yours is right, the server's operator can mend this"
	case "resource":
		return "write the base's URL as the resource itself does, see provider:; if yours is right, the server's operator can mend this"
	}
	return "the server's operator can mend this"
}

// suggestFor bounds how many withheld scopes get a suggestion: the search reads
// the whole list of the server for each.
const suggestFor = 20

// suggest adds to a withheld scope's reason the words that were likely meant.
func suggest(plan *scopes.Plan, advertised scopes.Advertisement) {
	known := advertised.Scopes.Slice()
	left := suggestFor
	for i := range plan.Scopes {
		item := &plan.Scopes[i]
		if item.Decision != scopes.DecisionWithhold || left == 0 {
			continue
		}
		left--
		word := item.Need.AnyOf[0]
		near := slices.DeleteFunc(text.Near(word, known), func(other string) bool { return other == word })
		if len(near) > 0 {
			item.Reason += fmt.Sprintf("; did you mean %s?", strings.Join(near, " or "))
		}
	}
}

// blocked is the failure of a plan that cannot give what is required; nil where it can.
func (n *negotiation) blocked() error {
	if len(n.plan.Blocked) == 0 {
		return nil
	}
	var lines []string
	for _, item := range n.plan.Scopes {
		if item.Decision == scopes.DecisionWithhold && item.Need.Level == scopes.Required {
			lines = append(lines, fmt.Sprintf("%s:%d: required scope %s cannot be had from %s: %s",
				item.Need.File, item.Need.Line, item.Need.Name(), n.plan.Server.Issuer, item.Reason))
		}
	}
	return fail(exitMissing, strings.Join(lines, "\n"), "correct the scope, or say advertised: false if the server grants it all the same")
}
