package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/declared"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/starter"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/spf13/cobra"
)

// providerName is the file in which a provider is described, where nobody names another.
const providerName = "provider.yaml"

// describeFlag is on or off: the file is an argument.
const describeFlag = "provider"

// initFlags say what a new file begins with.
type initFlags struct {
	from     string
	file     string // in which a platform has scopes declared
	sources  auditSources
	describe bool
}

func initCommand(r *invocation) *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init [--provider [FILE]]",
		Short: "write a commented scopes.yaml to start from",
		Long: `init writes a commented scopes.yaml into this directory (or to --manifest): the first
scopes of the service that --from names, and all others that it offers as comments. On
a terminal it asks which service that is. With --from-openapi, --from-tools or
--from-file it begins from the scopes that a document names; --calls and --tools declare
the least of them that is used. With --provider it writes a provider file, ` + providerName + `
or FILE, for a service that is not built in. It never overwrites a file.

Exit codes: 0 written; 2 wrong usage, or a file that is there already; 6 nothing is
known of the service, and its server cannot be asked: nothing is written.`,
		Example: "  ambit init\n  ambit init --from gitlab\n  ambit init --from https://auth.example.com\n  ambit init --from-openapi api.json --calls calls.txt\n  ambit init --from-file appsscript.json\n  ambit init --provider",
		Args:    f.checkArgs,
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return r.action(func(ctx context.Context) (view.View, error) {
			if f.describe {
				return writeProvider(cmp.Or(strings.Join(args, ""), providerName))
			}
			return r.initManifest(ctx, cmp.Or(r.settings.Manifest, ambit.ManifestName), &f)
		})(cmd, args)
	}
	cmd.Flags().StringVar(&f.from, "from", "", "the `PROVIDER`: a built-in one, a provider file, or an issuer's URL")
	if completes(r.args) {
		_ = cmd.RegisterFlagCompletionFunc("from", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return provider.BuiltinNames(), cobra.ShellCompDirectiveDefault // a file is one too
		})
	}
	cmd.Flags().StringVar(&f.file, "from-file", "", "a `FILE` in which a platform has scopes declared, or KIND=FILE (see ambit export --help)")
	f.sources.addFlags(cmd, "from-openapi", "from-tools")
	cmd.Flags().BoolVar(&f.describe, describeFlag, false, "write a provider file to fill in")
	return cmd
}

func (f *initFlags) checkArgs(_ *cobra.Command, args []string) error {
	switch {
	case f.describe && (f.from != "" || f.file != "" || f.sources.described()):
		return failure.New(failure.ExitUsage, "--from and its like are for a manifest, and --provider writes a provider", "give one of them")
	case f.file != "" && f.sources.described():
		return failure.New(failure.ExitUsage, "--from-file, and --from-openapi or --from-tools, are two beginnings", "give one of them")
	case !f.sources.described() && len(f.sources.calls)+len(f.sources.tools) > 0:
		return failure.New(failure.ExitUsage, "--calls and --tools say what of a description is used, and none is named", "name it with --from-openapi or --from-tools")
	case f.describe && len(args) > 1:
		return failure.New(failure.ExitUsage, fmt.Sprintf("ambit init --provider writes one file, but got %d", len(args)), "name one: ambit init --provider FILE")
	case f.describe:
		return nil
	case len(args) > 0:
		return failure.New(failure.ExitUsage, fmt.Sprintf("ambit init takes no arguments without --provider, but got %q", args[0]), "a manifest is named with --manifest, a provider file with: ambit init --provider FILE")
	}
	return nil
}

// initManifest writes a manifest. What is there already is told before anybody is asked anything.
func (r *invocation) initManifest(ctx context.Context, path string, f *initFlags) (view.View, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, isThere(path)
	}
	known, err := r.begin(ctx, path, f)
	if err != nil {
		return nil, err
	}
	draft := known.draft()
	if _, err := manifest.Decode(path, draft.Text(), yamlfile.Read); err != nil && known.service.In == "" {
		return nil, noManifest(path, known.service.Use, err)
	}
	offer, _ := known.offer()
	schema, err := writeBeside(path, draft.Text(), "scopes.schema.json", manifest.SchemaFor(offer), anotherManifest)
	if err != nil {
		return nil, err
	}
	return known.view(path, draft, schema), nil
}

// begin is the service, and what is written down of its scopes elsewhere.
func (r *invocation) begin(ctx context.Context, path string, f *initFlags) (*knownService, error) {
	b := &beginning{invocation: r, path: path, described: f.sources.described()}
	if !r.settings.FromFlag("server") { // it is that of another manifest, and so are they
		r.settings.Server = ""
	}
	r.settings.Programs = nil
	switch {
	case f.file != "":
		file, err := readDeclared(f.file, projectName(path), declared.Read)
		if err != nil {
			return nil, err
		}
		known, err := b.serviceFor(ctx, cmp.Or(f.from, file.Kind.Provider))
		if err != nil {
			return nil, err
		}
		known.declared = append([]scopes.Need{}, file.Needs()...) // none is not nothing known
		for i := range known.declared {
			n := &known.declared[i]
			n.Why = cmp.Or(known.manifest.Provider.Scopes.About(n.Name()), n.Why)
		}
		return known, nil
	case f.sources.described():
		return b.fromDescriptions(ctx, f)
	}
	return b.serviceFor(ctx, f.from)
}

// fromDescriptions finds the service by what descriptions of it say, and reads what its scopes are for.
func (b *beginning) fromDescriptions(ctx context.Context, f *initFlags) (*knownService, error) {
	found, err := f.sources.descriptions(ctx, b.invocation)
	if err != nil {
		return nil, err
	}
	b.bases, b.elsewhere = starter.BasesAt(found.Elsewhere), found.Elsewhere
	known, err := b.servedAt(ctx, f.from, &found)
	if err != nil {
		return nil, err
	}
	name := slices.Concat(f.sources.openAPI, f.sources.mcpTools)[0]
	known.from = text.Line(guard.ShownURL(name))
	if !isURL(name) {
		known.from = filepath.Base(name)
	}
	return known, b.weigh(ctx, known, &f.sources)
}

// servedAt is the service that --from names, or on which a description says that its operations stand, or
// that people agree; else somebody is asked.
func (b *beginning) servedAt(ctx context.Context, from string, found *audit.Evidence) (*knownService, error) {
	if from != "" {
		return b.know(ctx, named(from))
	}
	if service, ok := starter.ServiceAt(found); ok {
		return b.know(ctx, service)
	}
	return b.serviceFor(ctx, "")
}

// weigh finds what the descriptions say of the scopes, and the least for what the program calls.
func (b *beginning) weigh(ctx context.Context, known *knownService, sources *auditSources) error {
	if known.session == nil {
		return failure.New(failure.ExitUsage, "where operations stand at "+text.Printable(known.service.Use)+" is not known before its parameters are", "begin without a description: ambit init --from "+advice.ShellWord(known.service.Use))
	}
	var err error
	if known.proof, err = gather(ctx, b.invocation, known.session, sources); err != nil {
		return err
	}
	notes := known.proof.Notes
	if len(sources.calls)+len(sources.tools) > 0 {
		_, server := known.offer()
		found, err := audit.Audit(audit.Question{Manifest: known.manifest, Evidence: known.proof, Server: server, Today: time.Now()})
		if err != nil {
			return err
		}
		known.declared, notes = found.Least.Needs, found.Notes
	}
	for _, n := range notes {
		b.console.Note("%s", text.Printable(n.Where.String()+": "+n.Message))
	}
	b.noteUnlisted(known)
	return nil
}

// noteUnlisted says which of the scopes that are declared the server does not list, and what each was
// likely meant for: another document's words look like a slip, or like those of another service.
func (b *beginning) noteUnlisted(known *knownService) {
	offer, server := known.offer()
	var unlisted []string
	for _, n := range known.declared {
		if server.Says(n.AnyOf[0]) != scopes.AdvertisedNo {
			continue
		}
		if near := text.DidYouMean(offer.Near(n.AnyOf[0])); near != "" {
			b.console.Note("the server does not list %s; %s", text.Printable(n.AnyOf[0]), text.Printable(near))
		} else {
			unlisted = append(unlisted, n.AnyOf[0])
		}
	}
	if len(unlisted) > 0 {
		b.console.Note("the server does not list %s: if it grants that nevertheless, all is well; else the description is of another service", text.Printable(text.Listed(unlisted)))
	}
}

// anotherManifest is what to do where one is there already.
const anotherManifest = "name another file with --manifest"

func isThere(path string) error {
	return failure.New(failure.ExitUsage, text.Printable(path)+" is there already; init never overwrites one", anotherManifest)
}

const providerHead = `# What is known of a service. Fill in the values that are marked, and remove
# "# ", with the blank, before what else the service needs.

`

func writeProvider(path string) (view.View, error) {
	schema, err := writeBeside(path, append([]byte(providerHead), provider.Starter()...), "provider.schema.json", provider.Schema(), "name another file: ambit init --provider FILE")
	if err != nil {
		return nil, err
	}
	from := path
	if !filepath.IsAbs(path) {
		from = "./" + filepath.ToSlash(filepath.Clean(path))
	}
	return view.Init{Path: path, Schema: schema, Scopes: []string{}, Offered: []string{}, Next: "ambit init --from " + advice.ShellWord(from)}, nil
}

// writeBeside writes a new file whose first line leads editors to its schema, and that schema beside it,
// where it is not there yet. What is there stays as it is.
func writeBeside(path string, text []byte, name string, schema []byte, another string) (beside string, err error) {
	beside = filepath.Join(filepath.Dir(path), name)
	err = writeNew(path, append([]byte("# yaml-language-server: $schema="+name+"\n#\n"), text...))
	if errors.Is(err, fs.ErrExist) {
		return "", failure.New(failure.ExitUsage, path+" is there already; init never overwrites one", another)
	}
	if err == nil {
		if err = writeNew(beside, schema); errors.Is(err, fs.ErrExist) {
			err = nil
		} else if err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		dir := filepath.Dir(path)
		return "", failure.New(failure.ExitUsage, "the directory "+dir+" is not there", "make it first: mkdir -p "+advice.ShellWord(dir))
	}
	if err != nil {
		return "", failure.New(failure.ExitUsage, "nothing is written: "+err.Error(), another)
	}
	return beside, nil
}

// writeNew writes a file that is not there; what is there stays, also when two begin at once.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// noManifest is the failure of a provider that does not do. What was made from it was
// never written: no place in it is told.
func noManifest(path, from string, err error) error {
	hint := "built in: " + strings.Join(provider.BuiltinNames(), ", ") + "; or an issuer's https URL, or a ./file.yaml"
	lines := []string{fmt.Sprintf("no manifest can be made for %q", guard.ShownURL(from))}
	mistakes, _ := errors.AsType[yamlfile.Mistakes](err)
	for _, one := range mistakes {
		switch {
		case one.File != path:
			lines = append(lines, text.Printable(one.Error()))
		case one.Kind == yamlfile.BadProvider:
			hint, lines = "", []string{one.Message} // it names the word, and lists those that do
		default:
			lines = append(lines, one.Message)
		}
	}
	return &view.Failure{Code: failure.ExitUsage, Message: strings.Join(lines, "\n"), Hint: hint, Err: err}
}
