package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

var unknownRule = Rule{
	Kind:    UnknownScope,
	Summary: "Neither the server nor the evidence knows such a scope.",
	Help:    "Correct the word; if the server grants it all the same, say advertised: false.",
	Fails:   true,
	find:    findUnknown,
}

// findUnknown finds words that neither the server nor a source has.
func findUnknown(f *facts) []Finding {
	var found []Finding
	for i := range f.needs {
		n := &f.needs[i]
		for _, scope := range n.AnyOf {
			if f.isUnknown(n, scope) {
				near, tools := f.near(n, scope), f.toolsCalled(scope)
				one := n.about(UnknownScope, []string{"not in the server's scopes_supported", "in no source of evidence"},
					fmt.Sprintf("%s is not a scope that the server or the evidence knows%s", scope, hint(near, tools)))
				one.Scope, one.Near = scope, near
				found = append(found, one)
			}
		}
	}
	return found
}

// near suggests known scopes: what the need's own operations require, else what tools require
// that are called so, else similar words.
func (f *facts) near(n *need, scope string) []string {
	var words []string
	for _, m := range n.mentions {
		words = append(words, f.wordsOf(m.sources)...)
	}
	if len(words) == 0 {
		for _, tool := range f.toolsCalled(scope) {
			words = append(words, f.wordsOf(f.catalog.Match(scopes.Operation{Tool: tool}))...)
		}
	}
	if len(words) == 0 {
		words = scopes.Near(scope, f.vocabulary.Union(f.Server.Scopes).Sorted().Slice())
	}
	words = scopes.NewSet(words...).Slice()
	return words[:min(len(words), text.MaxNear)]
}

func (f *facts) wordsOf(requirements []int) []string {
	var words []string
	for _, at := range requirements {
		words = append(words, slices.Concat(f.requirements[at].AnyOf...)...)
	}
	return words
}

// toolsCalled are the tools whose name begins with the scope's first part: such a word
// was once taken from a tool's name.
func (f *facts) toolsCalled(scope string) []string {
	stem, _, _ := strings.Cut(scope, ":")
	return slices.DeleteFunc(f.catalog.Tools(), func(tool string) bool {
		return tool != stem && !strings.HasPrefix(tool, stem+"-") && !strings.HasPrefix(tool, stem+"_")
	})
}

func hint(near, tools []string) string {
	words := ""
	if len(tools) > 0 {
		words = fmt.Sprintf("; there is a tool of that name (%s), but a tool's name is not a scope", tools[0])
	}
	if len(near) > 0 {
		words += "; " + text.DidYouMean(near)
	}
	return words
}
