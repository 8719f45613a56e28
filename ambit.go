// Package ambit is the root of a declarative OAuth scope negotiator. The work is
// done in its packages: [github.com/ambit-auth/ambit/scopes] decides what to ask
// and what lacks, [github.com/ambit-auth/ambit/metadata] reads what a server says
// of itself, [github.com/ambit-auth/ambit/oauth] gets and keeps a credential. The
// command is in cmd/ambit.
//
// This package holds only the manifest of the program that ambit was made for.
package ambit

import _ "embed"

// Manifest is the text of scopes.yaml in the root: what the
// sandbox and the demo work with, and an example to begin from.
//
//go:embed scopes.yaml
var Manifest []byte
