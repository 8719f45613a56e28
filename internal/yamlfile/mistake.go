package yamlfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
)

// A MistakeKind sorts mistakes for those who count or test them.
type MistakeKind string

// The kinds of mistake that a manifest or a provider file can hold.
const (
	BadYAML      MistakeKind = "yaml"         // no YAML, or YAML that is refused: aliases, tabs, several documents
	BadSize      MistakeKind = "size"         // over [MaxFileSize], or empty
	BadVersion   MistakeKind = "version"      // a version that this program does not read
	UnknownKey   MistakeKind = "unknown_key"  // a key that means nothing there
	MissingKey   MistakeKind = "missing_key"  // a key that must be there
	DuplicateKey MistakeKind = "duplicate"    // a key or a scope that stands there twice
	BadType      MistakeKind = "type"         // a list where a word belongs, and the like
	BadValue     MistakeKind = "value"        // a word that is not one of the allowed
	BadScope     MistakeKind = "scope_syntax" // outside RFC 6749 §3.3
	BadUse       MistakeKind = "used_by"      // no operation and no tool, or an unknown base
	ImplyCycle   MistakeKind = "implication"  // an implication that leads back to itself
	BadProvider  MistakeKind = "provider"     // a provider that is not there or cannot be read
	TooMany      MistakeKind = "more"         // how many more there are than are told
)

// A Mistake is one thing wrong in a file, with the place where it stands. Those that every
// file can have are worded in reader.go.
type Mistake struct {
	File    string
	Line    int // from 1
	Column  int // from 1, in characters
	Kind    MistakeKind
	Message string // one printable line; words from the file are quoted

	source string // the line as it stands in the file; "" where it holds a secret, or nobody knows it
	shown  bool   // the line may be shown
}

// Error is file:line:column: message, as compilers and editors have it.
func (m Mistake) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", text.Line(m.File), m.Line, m.Column, m.Message)
}

// Mistakes is every mistake of one reading, in the order of the file.
type Mistakes []Mistake

// Error has one line a mistake.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, one := range m {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Sorted puts the mistakes into file order.
func (m Mistakes) Sorted() Mistakes {
	slices.SortStableFunc(m, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return m
}
