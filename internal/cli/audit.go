package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/evidence"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/manifestedit"
	"github.com/ambit-auth/ambit/internal/report"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/oauth/apikey"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/spf13/cobra"
)

// auditFlags say what the manifest is compared with, and what becomes of it.
type auditFlags struct {
	sources auditSources
	keys    *keyFlags
	failOn  []string
	minimal bool
	how     audit.Fixing
}

func (f *auditFlags) fixes() bool { return f.how.Write || f.how.Lower || f.how.Prune }

func auditCommand(r *invocation) *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "compare the manifest with the scopes that your code really uses",
		Long: `audit reads what other documents say about the scopes that the program needs, and compares
the manifest with it. It finds what is needed but not declared, declared but not needed,
wider than needed, or not a scope at all. --write, --lower and --prune fix the manifest
in place, and leave every other byte of it as it was.

Without --program only the base scopes count as declared; with one, --write adds to it.

Exit codes: 0 none of the findings that --fail-on names; 2 a mistake in the manifest or
in a source, or a name of --tools that no tool has; 5 findings; 6 a source's server does
not answer.`,
		Example: `  ambit audit --openapi api.yaml --mcp-tools tools.json --tools 'insight-*'
  ambit audit --openapi https://example.com/schema.json --calls calls.txt --minimal
  ambit audit --traffic run.jsonl --write -o markdown`,
		Args:        noArguments,
		Annotations: map[string]string{formatsOf: "github sarif markdown junit codequality html"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if r.settings.Output == "" && r.env.Get("GITHUB_ACTIONS") != "" && !f.minimal {
				r.settings.Output = "github"
			}
			v, err := runAudit(cmd.Context(), r, &f)
			if v == nil {
				return err
			}
			return showAudit(r, v, err)
		},
	}
	f.sources.addFlags(cmd, "openapi", "mcp-tools")
	flags := cmd.Flags()
	flags.StringArrayVar(&f.sources.traffic, "traffic", nil, "recorded calls: a `FILE` of ambit run --record, or a HAR file (repeatable)")
	f.keys = addKeyFlags(flags)
	flags.StringSliceVar(&f.failOn, "fail-on", kindWords(audit.FailingKinds()), "the `KINDS` of finding that end the audit with exit 5, with commas between: "+strings.Join(kindWords(manifest.FindingKinds()), ", "))
	flags.BoolVar(&f.minimal, "minimal", false, "print a small set of scopes that covers the evidence, ready to paste")
	flags.BoolVar(&f.how.Write, "write", false, "add to the manifest what is undeclared")
	flags.BoolVar(&f.how.Lower, "lower", false, "lower in the manifest what is over_level")
	flags.BoolVar(&f.how.Prune, "prune", false, "remove from the manifest what is unused")
	return cmd
}

func kindWords(kinds []audit.FindingKind) []string {
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = string(k)
	}
	return words
}

// failingKinds reads --fail-on; none given there means that nothing fails.
func (f *auditFlags) failingKinds() ([]audit.FindingKind, error) {
	known := kindWords(manifest.FindingKinds())
	kinds := []audit.FindingKind{}
	for _, word := range f.failOn {
		word = strings.TrimSpace(word)
		if !slices.Contains(known, word) {
			return nil, failure.New(failure.ExitUsage, fmt.Sprintf("--fail-on: unknown kind of finding %q", word), text.AllowedHint(word, known))
		}
		kinds = append(kinds, audit.FindingKind(word))
	}
	return kinds, nil
}

// runAudit gathers the evidence, weighs it, and fixes the manifest where that was asked.
// The view is nil where the failure is all there is to show.
func runAudit(ctx context.Context, r *invocation, f *auditFlags) (*view.Audit, error) {
	failing, err := f.failingKinds()
	if err != nil {
		return auditFailed(r, "", err)
	}
	p, err := r.open(f.keys)
	if err != nil {
		return auditFailed(r, "", err)
	}
	proof, err := gather(ctx, r, p, &f.sources)
	if err != nil {
		return auditFailed(r, p.Manifest().File, err)
	}
	server, err := auditServer(ctx, r, p, proof)
	if err != nil {
		return auditFailed(r, p.Manifest().File, err)
	}
	q := audit.Question{Manifest: p.Manifest(), Programs: p.Programs(), Evidence: proof, Server: server, Today: time.Now()}
	v := &view.Audit{Session: p, Failing: failing, Minimal: f.minimal, Detail: r.settings.Verbose, Server: server.State}
	h := auditGrant(ctx, r, f.keys)
	if h != nil {
		q.Granted = &h.Credential.Scopes
	}
	if f.fixes() {
		v.Found, v.Changed, err = fix(q, f.how)
		v.Fixed = p.Manifest().File + " stays as it is"
		if v.Changed {
			v.Fixed = "wrote " + p.Manifest().File
		}
	} else {
		v.Found, err = audit.Audit(q)
	}
	if err != nil {
		return auditFailed(r, p.Manifest().File, editFailure(err))
	}
	if h != nil {
		v.Holder = v.Holding(h)
	}
	for _, n := range v.Found.Notes {
		r.console.Note("%s", text.Printable(n.Where.String()+": "+n.Message))
	}
	return v, auditVerdict(v)
}

// auditFailed shows an audit that came to nothing, where the format has a place for it.
func auditFailed(r *invocation, file string, err error) (*view.Audit, error) {
	if !r.showsFindings() {
		return nil, err
	}
	return &view.Audit{File: cmp.Or(file, r.settings.Manifest, ambit.ManifestName), Failed: failure.As(err)}, err
}

// auditServer is what the server advertises. Where it cannot be asked the audit goes
// on, and a note says what is not judged.
func auditServer(ctx context.Context, r *invocation, p *ambit.Session, proof *audit.Evidence) (scopes.Advertisement, error) {
	plan, err := p.Plan(ctx)
	where := audit.Where{File: p.Server().Issuer}
	switch {
	case ctx.Err() != nil:
		return scopes.Advertisement{}, ctx.Err()
	case err != nil:
		proof.Notes = append(proof.Notes, audit.Note{Where: where, Message: "its list of scopes is unavailable, so unknown_scope is not judged: " + view.FirstLine(failure.As(failure.Of(p, err)).Message)})
		return scopes.Advertisement{}, nil
	case plan.Advertised().State != scopes.Listed:
		proof.Notes = append(proof.Notes, audit.Note{Where: where, Message: "it lists no scopes, so unknown_scope is not judged"})
	}
	return plan.Advertised(), nil
}

// fix edits the manifest's file, and reports whether it did. A file in which nothing is to
// be changed is not touched.
func fix(q audit.Question, how audit.Fixing) (audit.Findings, bool, error) {
	file := q.Manifest.File
	source, err := yamlfile.Read(file)
	if err != nil {
		return audit.Findings{}, false, failure.New(failure.ExitUsage, text.Printable(err.Error()), "")
	}
	if len(q.Programs) == 1 {
		how.Program = q.Programs[0]
	}
	edited, found, err := manifestedit.Fix(q, source, how, yamlfile.Read)
	if err != nil {
		return found, false, err
	}
	if bytes.Equal(edited, source) {
		return found, false, nil
	}
	if err := files.Update(file, edited); err != nil {
		return found, false, failure.New(failure.ExitUsage, text.Printable(err.Error()), "")
	}
	return found, true, nil
}

// editFailure is a manifest that cannot be fixed in place: its author can do that.
func editFailure(err error) error {
	_, unedited := errors.AsType[*manifestedit.EditError](err)
	if _, mistaken := errors.AsType[yamlfile.Mistakes](err); unedited || mistaken {
		return &view.Failure{Code: failure.ExitUsage, Message: text.Block(err.Error()), Hint: "nothing was written", Err: err}
	}
	return err
}

// auditVerdict is the failure of the findings that fail; nil where there are none.
func auditVerdict(v *view.Audit) error {
	fatal := v.Found.Of(v.Failing...)
	if len(fatal) == 0 || len(v.Failing) == 0 {
		return nil
	}
	words := make([]string, 0, len(fatal))
	for i := range fatal {
		words = append(words, strings.ReplaceAll(string(fatal[i].Kind), "_", " ")+" "+fatal[i].Scope)
	}
	hint := "correct the manifest, or waive what is intended, with a reason"
	if slices.ContainsFunc(v.Found.Of(audit.UnknownScope), func(f audit.Finding) bool { return len(f.Near) == 0 }) {
		hint = "a scope that the server grants and does not advertise needs advertised: false; correct the others, or waive them with a reason"
	}
	if len(v.Found.Of(audit.Undeclared)) > 0 && v.Fixed == "" {
		hint = "add what is undeclared: run it again with --write"
	}
	f := failure.New(failure.ExitFindings, "the manifest and the evidence differ: "+text.Printable(view.Some(words)), hint)
	f.Rest = "the manifest and the evidence differ"
	return f
}

// sourceFailure is a source that cannot be read: a mistake, each with its place, unless a
// server did not give what the source refers to.
func sourceFailure(err error) error {
	list := evidence.Errors(err)
	if len(list) == 0 {
		return err
	}
	for _, e := range list { // a link in a repository may lead to any file of this machine
		if e.File != "" && !strings.Contains(e.File, "://") && yamlfile.LeadsAway(e.File) {
			e.Reason, e.Err = "not what belongs here"+yamlfile.NotShown, nil
		}
	}
	f := &view.Failure{Code: failure.ExitUsage, Message: text.Block(err.Error()), Hint: "nothing was judged", Err: err}
	if cause, ok := errors.AsType[*view.Failure](err); ok {
		f.Code, f.Hint = cause.Code, cmp.Or(cause.Hint, f.Hint)
	}
	return f
}

func showAudit(r *invocation, v *view.Audit, err error) error {
	line := ""
	switch r.settings.Output {
	case "markdown":
		if v.Failed != nil {
			return r.show(v, err)
		}
		line = v.Markdown()
	case "html":
		page, pageErr := v.Page()
		if pageErr != nil {
			return pageErr
		}
		line = page
	case "github":
		if v.Failed == nil {
			r.summarize("\n" + v.Markdown())
		}
		line = report.Annotations(v.Reports(), r.env.Get("GITHUB_WORKSPACE"))
	default:
		return r.show(v, err)
	}
	if printErr := r.print(line); printErr != nil {
		return printErr
	}
	return err
}

// auditGrant is what the credential at hand holds, for the table's last column; nil where
// there is none, or where its hosts are not trusted: an audit asks nobody a question. That
// a credential is there and nobody can tell what it holds is a note, and no failure.
func auditGrant(ctx context.Context, r *invocation, keys *keyFlags) *ambit.Held {
	ui := r.ui()
	ui.Ask = nil
	s, err := r.openWith(r.keySources(keys), ui)
	if err != nil {
		return nil
	}
	h, err := s.FindStored(ctx)
	_, noKey := errors.AsType[*apikey.BadKeyError](err)
	if err != nil && !noKey {
		return nil
	}
	if err == nil && !h.IsLogin() {
		err = h.Inspect(ctx)
	}
	if err != nil {
		r.console.Note("what the key holds is unknown, so the column \"granted\" stays empty: %s", view.FirstLine(failure.As(failure.Of(s, err)).Message))
		return nil
	}
	return h
}
