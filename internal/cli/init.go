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
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/spf13/cobra"
)

func initCommand(r *invocation) *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "write a commented scopes.yaml to begin from",
		Long: `init writes a commented scopes.yaml into this directory (or to --manifest). It never
overwrites one.`,
		Example: "  ambit init\n  ambit init --from https://auth.example.com",
		Args:    noArguments,
		RunE: r.action(func(context.Context) (view.View, error) {
			return writeManifest(r, cmp.Or(r.settings.Manifest, ambit.ManifestName), from)
		}),
	}
	cmd.Flags().StringVar(&from, "from", "", "the `PROVIDER`: a built-in one, a provider file, or an issuer's URL (default: the first built-in one)")
	return cmd
}

func writeManifest(r *invocation, path, from string) (view.View, error) {
	from = cmp.Or(from, provider.BuiltinNames()[0])
	text := starterManifest(projectName(path), from)
	if _, err := manifest.Decode(path, text, yamlfile.Read); err != nil {
		return nil, noManifest(path, from, err)
	}
	// O_EXCL: what is there stays there, also when two begin at once.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil, fail(exitUsage, path+" is there already; init never overwrites one", "name another file with --manifest")
	}
	if err != nil {
		return nil, fail(exitUsage, err.Error(), "")
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(path))
	}
	return view.Init{Path: path, Provider: from, Next: forManifest(path).Command("plan")}, nil
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
	return &view.Failure{Code: exitUsage, Message: strings.Join(lines, "\n"), Hint: hint, Err: err}
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

const starterHead = `# yaml-language-server: $schema=https://raw.githubusercontent.com/ambit-auth/ambit/main/scopes/manifest/scopes.schema.json
#
# Which OAuth scopes this program needs, at which level, and why. See: ambit plan

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

func starterManifest(name, service string) []byte {
	list := genericScopes
	if p, err := provider.Builtin(service); err == nil && p.Starter != "" {
		list = indent(p.Starter)
	}
	return fmt.Appendf(nil, starterHead, strconv.Quote(name), quoteURL(service), list)
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
