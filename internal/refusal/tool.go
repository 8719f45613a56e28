package refusal

import (
	"slices"
	"strings"
)

// UnknownTool reports whether the response says of an MCP tool that there is none of this name,
// and no more: servers hide so what one may not use. A sentence about anything else, such as a
// parameter of the tool, has other words in it.
func (r Reading) UnknownTool(name string) bool {
	return name != "" && slices.ContainsFunc(r.texts, func(said string) bool {
		before, after, named := strings.Cut(said, name)
		if !named {
			return false
		}
		words := wordsOf(before + " " + after)
		return anyOf(words, absentWords) && !slices.ContainsFunc(words, func(word string) bool { return !absentWords.has(word) && !toolWords.has(word) })
	})
}

var (
	absentWords = wordSet(`unknown unrecognized unrecognised unavailable not no doesn invalid undefined nonexistent`)
	toolWords   = wordSet(`mcp json rpc error tool tools name named called with a the is was be could can found exist exists
		existing available registered recognized such method t does there this server on by listed`)
)
