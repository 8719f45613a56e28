package profile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"go.yaml.in/yaml/v3"
)

// maxProfile bounds an agent's file, in bytes: the largest has 4 KiB.
const maxProfile = 256 << 10

// A reader turns the nodes of one YAML file into values, and gathers what is wrong on
// the way so that someone mends everything in one round.
type reader struct {
	file     string
	mistakes yamlfile.Mistakes
}

// maxMistakes bounds how many mistakes of one file are told.
const maxMistakes = 50

func (r *reader) mistake(n *yaml.Node, kind yamlfile.MistakeKind, format string, args ...any) {
	if len(r.mistakes) < maxMistakes {
		r.mistakes = append(r.mistakes, yamlfile.Mistake{
			File: r.file, Line: max(n.Line, 1), Column: max(n.Column, 1), Kind: kind, Message: text.Line(fmt.Sprintf(format, args...)),
		})
	}
}

// told is every mistake in the order of the file.
func (r *reader) told() yamlfile.Mistakes {
	slices.SortStableFunc(r.mistakes, func(a, b yamlfile.Mistake) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return r.mistakes
}

// document parses text into the root of its only document; nil when that cannot be.
func (r *reader) document(text []byte) *yaml.Node {
	start := &yaml.Node{Line: 1, Column: 1}
	if len(text) > maxProfile {
		r.mistake(start, yamlfile.BadSize, "the file is larger than %d bytes", maxProfile)
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	if err := decoder.Decode(&doc); err != nil || len(doc.Content) == 0 {
		r.mistake(start, yamlfile.BadYAML, "not YAML, or empty: %v", err)
		return nil
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		r.mistake(start, yamlfile.BadYAML, "the file holds more than one document, or no YAML at its end")
		return nil
	}
	if r.refuseAliases(&doc); len(r.mistakes) > 0 {
		return nil
	}
	return doc.Content[0]
}

// refuseAliases keeps out anchors and aliases: a few lines of them unfold into gigabytes.
func (r *reader) refuseAliases(n *yaml.Node) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		r.mistake(n, yamlfile.BadYAML, "anchors and aliases are not allowed here: write it out")
		return
	}
	for _, child := range n.Content {
		r.refuseAliases(child)
	}
}

// A member is one key that a mapping may hold, and what reads its value.
type member struct {
	key      string
	required bool
	read     func(value *yaml.Node)
}

// mapping reads n by its members, and notes unknown, doubled and missing keys.
func (r *reader) mapping(n *yaml.Node, what string, members ...member) {
	var known []string
	for _, m := range members {
		known = append(known, m.key)
	}
	seen := make([]bool, len(members))
	r.pairs(n, what, func(key, value *yaml.Node) {
		at := slices.Index(known, key.Value)
		if at < 0 {
			r.mistake(key, yamlfile.UnknownKey, "unknown key %q in %s (allowed: %s)", key.Value, what, strings.Join(known, ", "))
			return
		}
		seen[at] = true
		members[at].read(value)
	})
	for i, m := range members {
		if m.required && !seen[i] {
			r.mistake(n, yamlfile.MissingKey, "%s lacks %q", what, m.key)
		}
	}
}

// pairs reads a mapping whose keys are free, each once.
func (r *reader) pairs(n *yaml.Node, what string, read func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		r.mistake(n, yamlfile.BadType, "%s is a set of keys", what)
		return
	}
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if seen[key.Value] {
			r.mistake(key, yamlfile.DuplicateKey, "%q stands twice in %s", key.Value, what)
			continue
		}
		seen[key.Value] = true
		read(key, value)
	}
}

// list calls read for each item of a sequence.
func (r *reader) list(n *yaml.Node, what string, read func(item *yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		r.mistake(n, yamlfile.BadType, "%s is a list", what)
		return
	}
	for _, item := range n.Content {
		read(item)
	}
}

// text reads one word or sentence; "" with the mistake noted for anything else.
func (r *reader) text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" || n.Value == "" {
		r.mistake(n, yamlfile.BadType, "%s is text, and not empty: put it between quotes", what)
		return ""
	}
	return n.Value
}

// word reads text that must be one of the allowed words.
func (r *reader) word(n *yaml.Node, what string, words ...string) string {
	text := r.text(n, what)
	if text != "" && !slices.Contains(words, text) {
		r.mistake(n, yamlfile.BadValue, "unknown %s %q (allowed: %s)", what, text, strings.Join(words, ", "))
		return ""
	}
	return text
}

func (r *reader) texts(n *yaml.Node, what string) (list []string) {
	r.list(n, what, func(item *yaml.Node) { list = append(list, r.text(item, what)) })
	return list
}

func (r *reader) boolean(n *yaml.Node, what string) (value bool) {
	if n.ShortTag() != "!!bool" || n.Decode(&value) != nil {
		r.mistake(n, yamlfile.BadType, "%s is true or false", what)
	}
	return value
}
