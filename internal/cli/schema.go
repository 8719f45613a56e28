package cli

import (
	"fmt"
	"maps"
	"slices"

	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/spf13/cobra"
)

// schemas are the JSON Schemas of the files that people write, and of what the program prints. Each
// is made when it is asked for: every command would wait for them.
func schemas() map[string]func() []byte {
	all := view.Schemas()
	all["manifest"], all["provider"], all["profile"] = manifest.Schema, provider.Schema, profile.Schema
	return all
}

func schemaCommand(r *invocation) *cobra.Command {
	names := slices.Sorted(maps.Keys(schemas()))
	return &cobra.Command{
		Use:   "schema NAME",
		Short: "print the JSON Schema of a file or of an output",
		Long: `schema prints the JSON Schema of scopes.yaml (manifest), of a provider's file (provider)
or of the file of an agent program (profile), by which editors complete and check it; or
that of what the program prints as JSON: audit, doctor, explain, export, grant (of login,
status and check), init, logins, matches (of check --matches without a credential), plan,
run (its --report), scopes, token, verdict. With a manifest, that of the manifest suggests
the scopes that are known to exist there; no server is asked.`,
		Example:   "  ambit schema profile > profile.schema.json",
		ValidArgs: names,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return failure.New(failure.ExitUsage, "schema takes one name", text.AllowedHint("", names))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			schema, known := schemas()[args[0]]
			if args[0] == "manifest" {
				schema = func() []byte { return manifest.SchemaFor(lastOffer(r, cmd)) }
			}
			if !known {
				return failure.New(failure.ExitUsage, fmt.Sprintf("unknown schema %q", args[0]), text.AllowedHint(args[0], names))
			}
			return r.show(view.Text{Member: "json_schema", Content: string(schema())}, nil)
		},
	}
}
