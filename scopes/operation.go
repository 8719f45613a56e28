package scopes

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/template"

	"github.com/ambit-auth/ambit/internal/text"
)

// An Operation is one thing that needs a scope: an operation of a provider's base, or an
// MCP tool. Exactly one of Tool and Method is set.
type Operation struct {
	Method string // upper case, as on the wire (RFC 9110 §9)
	Base   string // name of one of the provider's bases
	Path   string // below the base's URL; {name} stands for one segment
	Tool   string // name of an MCP tool

	Line, Column int // where the manifest says it; 0 where it comes from elsewhere
}

// Unplaced is the operation without its place in a file, the same for the same operation.
func (u Operation) Unplaced() Operation {
	u.Line, u.Column = 0, 0
	return u
}

// methods are those of RFC 9110 §9.3 and RFC 5789 that an API call may have.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// OperationPattern is roughly what ParseOperation takes, for readers of JSON Schema.
const OperationPattern = `^(tool:[^\s]+|(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \{[a-z0-9_]+\}(/([^{}/?#\s]*(\{[^{}/?#\s]+\}[^{}/?#\s]*)?))*)$`

// ParseOperation reads one used_by entry: METHOD {base}/path/{param}, or tool:NAME.
// The error says which part is wrong; whether the base exists is for the caller.
func ParseOperation(word string) (Operation, error) {
	if tool, ok := strings.CutPrefix(word, "tool:"); ok {
		if tool == "" || !text.IsUnbroken(tool) {
			return Operation{}, fmt.Errorf("%q names no tool: write tool:NAME", word)
		}
		return Operation{Tool: tool}, nil
	}
	method, target, found := strings.Cut(word, " ")
	if !found {
		return Operation{}, fmt.Errorf("%q is neither METHOD {base}/path nor tool:NAME", word)
	}
	if !slices.Contains(methods, method) {
		return Operation{}, fmt.Errorf("unknown method %q%s", method, text.Allowed(strings.ToUpper(method), methods))
	}
	base, path, err := splitTarget(target)
	if err != nil {
		return Operation{}, fmt.Errorf("%q: %w", word, err)
	}
	return Operation{Method: method, Base: base, Path: path}, nil
}

// ParseTyped is [ParseOperation] for what people type: the case of the method and the number
// of spaces behind it do not matter, and the base may be left out (Base is then "").
func ParseTyped(word string) (Operation, error) {
	word = strings.TrimSpace(word)
	space := strings.IndexAny(word, " \t")
	if space < 0 || strings.HasPrefix(word, "tool:") {
		return ParseOperation(word)
	}
	method, target := word[:space], strings.TrimSpace(word[space:])
	const leftOut = "{-}"
	if target[0] == '/' {
		target = leftOut + target
	}
	op, err := ParseOperation(strings.ToUpper(method) + " " + target)
	if "{"+op.Base+"}" == leftOut {
		op.Base = ""
	}
	return op, err
}

func splitTarget(target string) (base, path string, err error) {
	inner, ok := strings.CutPrefix(target, "{")
	if !ok {
		return "", "", errors.New("the path begins with a base in braces, such as {api}")
	}
	base, path, ok = strings.Cut(inner, "}")
	switch {
	case !ok || base == "":
		return "", "", errors.New("the base in braces is not closed")
	case path != "" && path[0] != '/':
		return "", "", errors.New("after the base comes a path that begins with /")
	case strings.ContainsAny(path, "?#"):
		return "", "", errors.New("a path has no query and no fragment")
	case !text.IsUnbroken(path):
		return "", "", errors.New("a path has no spaces and no unprintable characters")
	}
	for segment := range strings.SplitSeq(path, "/") {
		if _, err := template.ParsePart(segment); err != nil {
			return "", "", errors.New("a segment of the path holds at most one {param}")
		}
	}
	return base, path, nil
}

// Succeeded reports whether the status of a response says that the operation was done, so that what
// was granted is enough for it (RFC 9110 §15.3, and 304 of §15.4.5). A redirect does not: it may lead
// to a page to log in at.
func Succeeded(status int) bool { return status >= 200 && status < 300 || status == 304 }

// String is the form that a manifest uses.
func (u Operation) String() string {
	if u.Tool != "" {
		return "tool:" + u.Tool
	}
	return u.Method + " {" + u.Base + "}" + u.Path
}

// MarshalText writes the form that a manifest uses.
func (u Operation) MarshalText() ([]byte, error) { return []byte(u.String()), nil }
