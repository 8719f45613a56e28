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

	"github.com/spf13/cobra"

	"github.com/ambit-auth/ambit/internal/evidence"
	"github.com/ambit-auth/ambit/internal/manifestedit"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// auditFlags say what the manifest is held against, and what becomes of it.
type auditFlags struct {
	sources auditSources
	keys    *keyFlags
	failOn  []string
	minimal bool
	how     audit.Mending
}

func (f *auditFlags) mends() bool { return f.how.Write || f.how.Lower || f.how.Prune }

func (r *run) auditCommand() *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "hold the manifest against evidence: which scopes are really needed",
		Long: `audit reads what other documents say of the scopes that the program needs, and holds
the manifest against it: what is needed and not declared, declared and not needed, asked
for too widely, or no scope at all. --write, --lower and --prune mend the manifest in
place, and leave every other byte of it as it was.

Without --program only the base scopes count as declared; with one, --write adds to it.

Exit codes: 0 none of the findings that --fail-on names; 2 a mistake in the manifest or
in a source; 5 findings; 6 a source's server does not answer.`,
		Example: `  ambit audit --openapi api.yaml --mcp-tools tools.json --tools 'insight-*'
  ambit audit --openapi https://example.com/schema.json --calls calls.txt --minimal
  ambit audit --traffic run.jsonl --write -o markdown`,
		Args:        noArguments,
		Annotations: map[string]string{formatsOf: "github sarif markdown html"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if r.settings.Output == "" && r.env.Get("GITHUB_ACTIONS") != "" && !f.minimal {
				r.settings.Output = "github"
			}
			v, err := r.audit(cmd.Context(), &f)
			if v == nil {
				return err
			}
			return r.showAudit(v, err)
		},
	}
	f.sources.addFlags(cmd)
	flags := cmd.Flags()
	f.keys = addKeyFlags(flags)
	flags.StringSliceVar(&f.failOn, "fail-on", kindWords(audit.FailingKinds()), "the `KINDS` of finding that are exit 5, with commas between them")
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
			return nil, fail(exitUsage, fmt.Sprintf("--fail-on: unknown kind of finding %q", word), didYouMean(word, known))
		}
		kinds = append(kinds, audit.FindingKind(word))
	}
	return kinds, nil
}

// audit gathers the evidence, weighs it, and fixes the manifest where that was asked.
// The view is nil where the failure is all there is to show.
func (r *run) audit(ctx context.Context, f *auditFlags) (*auditView, error) {
	failing, err := f.failingKinds()
	if err != nil {
		return r.auditFailed("", err)
	}
	p, err := r.openProject()
	if err != nil {
		return r.auditFailed("", err)
	}
	proof, err := r.gather(ctx, p, &f.sources)
	if err != nil {
		return r.auditFailed(p.manifest.File, err)
	}
	server, err := r.auditServer(ctx, p, proof)
	if err != nil {
		return r.auditFailed(p.manifest.File, err)
	}
	q := audit.Question{Manifest: p.manifest, Programs: p.programs, Evidence: proof, Server: server, Today: time.Now()}
	v := &auditView{project: p, failing: failing, minimal: f.minimal, server: server.State}
	h := r.auditGrant(ctx, p, f.keys)
	if h != nil {
		q.Granted = &h.grant.Scopes
	}
	if f.mends() {
		v.found, v.changed, err = r.mend(q, f.how)
		v.mended = p.manifest.File + " stays as it is"
		if v.changed {
			v.mended = "wrote " + p.manifest.File
		}
	} else {
		v.found, err = audit.Audit(q)
	}
	if err != nil {
		return r.auditFailed(p.manifest.File, editFailure(err))
	}
	if h != nil {
		v.holder = v.holding(h)
	}
	for _, n := range v.found.Notes {
		r.voice.note("%s", plain(n.Where.String()+": "+n.Message))
	}
	return v, v.verdict()
}

// auditFailed shows an audit that came to nothing, where the format has a place for it.
func (r *run) auditFailed(file string, err error) (*auditView, error) {
	if r.settings.Output != "github" && r.settings.Output != "sarif" {
		return nil, err
	}
	return &auditView{file: cmp.Or(file, r.settings.Manifest, manifestName), failed: asFailure(err)}, err
}

// auditServer is what the server advertises. Where it cannot be asked the audit goes
// on, and a note says what is not judged.
func (r *run) auditServer(ctx context.Context, p *project, proof *audit.Evidence) (scopes.Advertisement, error) {
	n, err := r.negotiate(ctx, p)
	where := audit.Where{File: p.server.Issuer}
	switch {
	case ctx.Err() != nil:
		return scopes.Advertisement{}, ctx.Err()
	case err != nil:
		proof.Notes = append(proof.Notes, audit.Note{Where: where, Message: "which scopes it knows is not known, so unknown_scope is not judged: " + firstLine(asFailure(err).Message)})
		return scopes.Advertisement{}, nil
	case n.question.Server.State != scopes.Listed:
		proof.Notes = append(proof.Notes, audit.Note{Where: where, Message: "it lists no scopes, so unknown_scope is not judged"})
	}
	return n.question.Server, nil
}

// mend edits the manifest's file, and reports whether it did. A file in which nothing is to
// be changed is not touched.
func (r *run) mend(q audit.Question, how audit.Mending) (audit.Findings, bool, error) {
	file := q.Manifest.File
	text, err := readLimited(file)
	if err != nil {
		return audit.Findings{}, false, fail(exitUsage, plain(err.Error()), "")
	}
	if len(q.Programs) == 1 {
		how.Program = q.Programs[0]
	}
	edited, found, err := manifestedit.Mend(q, text, how, readLimited)
	if err != nil {
		return found, false, err
	}
	if bytes.Equal(edited, text) {
		return found, false, nil
	}
	if err := writeFile(file, edited); err != nil {
		return found, false, fail(exitUsage, plain(err.Error()), "")
	}
	return found, true, nil
}

// editFailure is a manifest that cannot be fixed in place: its author can do that.
func editFailure(err error) error {
	var e *manifestedit.EditError
	var m yamlfile.Mistakes
	if errors.As(err, &e) || errors.As(err, &m) {
		return &failure{Code: exitUsage, Message: plainLines(err.Error()), Hint: "nothing was written", Err: err}
	}
	return err
}

// verdict is the failure of the findings that fail; nil where there are none.
func (v *auditView) verdict() error {
	fatal := v.found.Of(v.failing...)
	if len(fatal) == 0 || len(v.failing) == 0 {
		return nil
	}
	words := make([]string, 0, len(fatal))
	for i := range fatal {
		words = append(words, strings.ReplaceAll(string(fatal[i].Kind), "_", " ")+" "+fatal[i].Scope)
	}
	hint := "correct the manifest, or waive with a reason what is meant so"
	if len(v.found.Of(audit.UnknownScope)) > 0 {
		hint = "a scope that the server grants without listing it is declared with advertised: false; " + hint
	}
	if len(v.found.Of(audit.Undeclared)) > 0 && v.mended == "" {
		hint = "ambit audit … --write adds what is undeclared; " + hint
	}
	return fail(exitFindings, "the manifest and the evidence differ: "+plain(some(words)), hint)
}

// sourceFailure is a source that cannot be read: a mistake, each with its place, unless a
// server did not give what the source refers to.
func sourceFailure(err error) error {
	if _, ok := is[*evidence.Error](err); !ok {
		return err
	}
	f := &failure{Code: exitUsage, Message: plainLines(err.Error()), Hint: "nothing was judged", Err: err}
	if cause, ok := is[*failure](err); ok {
		f.Code, f.Hint = cause.Code, cmp.Or(cause.Hint, f.Hint)
	}
	return f
}
