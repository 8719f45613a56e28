package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/spf13/cobra"
)

// providerName is the file in which a provider is described, where nobody names another.
const providerName = "provider.yaml"

// describeFlag is on or off: the file is an argument.
const describeFlag = "provider"

func initCommand(r *invocation) *cobra.Command {
	var from string
	var describe bool
	cmd := &cobra.Command{
		Use:   "init [--provider [FILE]]",
		Short: "write a commented scopes.yaml to begin from",
		Long: `init writes a commented scopes.yaml into this directory (or to --manifest); with
--provider a provider file, ` + providerName + ` or FILE, that describes a service which is not
built in, with a line about each member. Beside it stands its JSON Schema, by which
editors complete it. It never overwrites one.`,
		Example: "  ambit init\n  ambit init --from https://auth.example.com\n  ambit init --provider",
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case describe && from != "":
				return failure.New(failure.ExitUsage, "--from is the provider of a manifest, and --provider writes a provider", "give one of them")
			case describe && len(args) > 1:
				return failure.New(failure.ExitUsage, fmt.Sprintf("ambit init --provider writes one file, but got %d", len(args)), "name one: ambit init --provider FILE")
			case describe:
				return nil
			case len(args) > 0:
				return failure.New(failure.ExitUsage, fmt.Sprintf("ambit init takes no arguments without --provider, but got %q", args[0]), "a manifest is named with --manifest, a provider file with: ambit init --provider FILE")
			}
			return nil
		},
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return r.action(func(context.Context) (view.View, error) {
			if describe {
				return writeProvider(cmp.Or(strings.Join(args, ""), providerName))
			}
			return writeManifest(r, cmp.Or(r.settings.Manifest, ambit.ManifestName), from)
		})(cmd, args)
	}
	cmd.Flags().StringVar(&from, "from", "", "the `PROVIDER`: a built-in one, a provider file, or an issuer's URL (default: that of ambit's own example)")
	cmd.Flags().BoolVar(&describe, describeFlag, false, "write a provider file to fill in")
	return cmd
}

func writeManifest(r *invocation, path, from string) (view.View, error) {
	if from == "" {
		example, err := manifest.Decode(ambit.ManifestName, ambit.ExampleManifest, nil)
		if err != nil {
			return nil, err
		}
		from = example.Provider.Name
	}
	m, err := manifest.Decode(path, starterManifest(projectName(path), from, noScopes), yamlfile.Read)
	if err != nil {
		return nil, noManifest(path, from, err)
	}
	text := starterManifest(projectName(path), from, firstScopes(m.Provider))
	if _, err := manifest.Decode(path, text, yamlfile.Read); err != nil {
		return nil, noManifest(path, from, err)
	}
	schema, err := writeBeside(path, text, "scopes.schema.json", manifest.Schema(), "name another file with --manifest")
	if err != nil {
		return nil, err
	}
	todo := "say in it which scopes you need and why"
	if m.Provider.Scopes.NoRequest {
		todo = "name your client in it"
	}
	return view.Init{Path: path, Provider: from, Schema: schema, ToDo: todo, Next: failure.ForManifest(path).Command("plan")}, nil
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
	return view.Init{Path: path, Schema: schema, ToDo: "fill in what is marked", Next: "ambit init --from " + advice.ShellWord(from)}, nil
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

// projectName is the name of the directory that the manifest stands in.
func projectName(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "my-program"
	}
	if name := filepath.Base(filepath.Dir(abs)); len(name) > 1 {
		return name
	}
	return "my-program"
}

const starterHead = `# Which OAuth scopes this program needs, at which level, and why. See: ambit plan

version: 1
name: %s
provider: %s  # a built-in one, a ./file.yaml, or an issuer's URL

# level:      required      the program does not start without it
#             recommended   it works, but noticeably worse
#             optional      one feature is lost
# why:        what a person reads when the scope is missing
# used_by:    METHOD {base}/path/{param}, or tool:NAME of an MCP tool
# advertised: false for a scope that is granted, though the server does not list it
# any_of:     [a, b] in place of scope, where one of them is enough
scopes:
%s
# Sets of features: each adds to the scopes above, and is chosen with --program.
# programs:
#   export:
#     scopes:
#       - {scope: "file:write", level: optional, why: "saves the report"}
`

// genericScopes begin a manifest for a server of which nothing is known.
const genericScopes = `  - scope: openid
    level: required
    why: who is logging in
`

// noScopes stands in a manifest that is read to find its provider.
const noScopes = "  []\n"

// firstScopes are those that a manifest for the provider begins with: its own words, else the first
// of those that exist there.
func firstScopes(p *provider.Provider) string {
	switch {
	case p.Starter != "":
		return indent(p.Starter)
	case p.Scopes.NoRequest:
		return "  []  # none is requested: what the client may do is set at the service\n"
	case len(p.Scopes.Table) > 0:
		first := p.Scopes.Table[0]
		return fmt.Sprintf("  - scope: %q\n    level: required\n    why: %q\n", first.Scope, cmp.Or(first.About, "what it is for"))
	}
	return genericScopes
}

func starterManifest(name, service, list string) []byte {
	return fmt.Appendf(nil, starterHead, strconv.Quote(name), quoteURL(service), strings.TrimSuffix(list, "\n")+"\n")
}

func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("  " + line)
	}
	return b.String()
}

// quoteURL quotes what YAML would not take for plain text.
func quoteURL(provider string) string {
	if strings.ContainsAny(provider, ":#'\"{}[] \n") {
		return strconv.Quote(provider)
	}
	return provider
}
