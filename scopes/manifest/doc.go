// Package manifest reads scopes.yaml, the only place where anyone writes down a scope: what a
// program needs, its sets of features, and what an audit may leave alone. [Decode] reports
// everything that is wrong at once, each mistake with its place. [Manifest.Select] gives the
// needs of one run.
//
// A [Lock] is the file beside it: what servers advertised when someone last looked, and what
// was negotiated with each.
package manifest
