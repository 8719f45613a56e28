package provider

import (
	"bytes"
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
)

//go:embed providers/*.yaml
var providerFiles embed.FS

const providerFolder = "providers"

// BuiltinNames lists the names of the providers that are built in, sorted.
func BuiltinNames() []string {
	files, _ := providerFiles.ReadDir(providerFolder) // embedded: it is there
	var names []string
	for _, f := range files {
		if name, is := strings.CutSuffix(f.Name(), ".yaml"); is {
			names = append(names, name)
		}
	}
	return names
}

// VariableOf reports whether a built-in provider keeps a credential in that environment variable. Only
// files in which its name stands are read for that.
func VariableOf(name string) bool {
	return slices.ContainsFunc(BuiltinNames(), func(of string) bool {
		source, err := providerFiles.ReadFile(providerFolder + "/" + of + ".yaml")
		if err != nil || !bytes.Contains(source, []byte(name)) {
			return false
		}
		p, err := Builtin(of)
		return err == nil && slices.Contains(p.Variables(), name)
	})
}

// builtins holds the built-in providers that were asked for; they never change.
var builtins sync.Map // name → func() (*Provider, error)

// Builtin returns a built-in provider, the same one at each call; the error
// of an unknown name lists the known ones. Safe for concurrent use.
func Builtin(name string) (*Provider, error) {
	if !slices.Contains(BuiltinNames(), name) {
		if meant := described(name); meant != "" {
			return nil, fmt.Errorf("unknown provider %q: did you mean %q?", name, meant)
		}
		return nil, fmt.Errorf("unknown provider %q%s", name, text.Allowed(name, BuiltinNames()))
	}
	read, _ := builtins.LoadOrStore(name, sync.OnceValues(func() (*Provider, error) { return readBuiltin(name) }))
	return read.(func() (*Provider, error))()
}

func readBuiltin(name string) (*Provider, error) {
	source, err := providerFiles.ReadFile(providerFolder + "/" + name + ".yaml")
	if err != nil {
		return nil, err
	}
	voice, rest := apart(source, "errors", "refusal_body")
	p, err := Decode(name, rest)
	if err != nil {
		return nil, err
	}
	p.Name, p.File, p.Service, p.OwnWays, p.OwnHosts = name, "", name, false, nil
	if len(bytes.TrimSpace(voice)) > 0 {
		p.voice = sync.OnceValue(func() Voice {
			v, _ := decodeVoice(p, voice) // embedded: a test has found it right
			return v
		})
	}
	return p, nil
}

// BuiltinsNear are the names of the built-in providers that someone may have meant by a word: of the
// same product or owner, beginning so, or written almost so.
func BuiltinsNear(word string) []string {
	names := BuiltinNames()
	near := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return word == "" || !strings.HasPrefix(name, strings.ToLower(word)) })
	near = append(near, text.Near(word, names)...)
	if meant := described(word); meant != "" {
		near = []string{meant}
	}
	slices.Sort(near)
	return slices.Compact(near)
}

// described is the built-in provider whose file begins with this word among its names: in a comment, up
// to a colon or the end of the sentence. "" for none.
func described(word string) string {
	isLetter := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	for _, name := range BuiltinNames() {
		source, _ := providerFiles.ReadFile(providerFolder + "/" + name + ".yaml") // embedded: it is there
		first, _, _ := strings.Cut(string(source), "\n")
		first, _, _ = strings.Cut(first, ":")
		first, _, _ = strings.Cut(first, ". ")
		for _, one := range strings.FieldsFunc(first, func(r rune) bool { return !isLetter(r) }) {
			if strings.EqualFold(one, word) && unicode.IsUpper(rune(one[0])) && one != strings.ToUpper(one) { // a name, not "the" nor "API"
				return name
			}
		}
	}
	return ""
}

// apart takes the members of those names from the text of a mapping. Its lines keep their numbers.
func apart(source []byte, names ...string) (taken, rest []byte) {
	taken, rest = make([]byte, 0, len(source)), make([]byte, 0, len(source))
	taking := false
	for line := range bytes.Lines(source) {
		if key, _, is := bytes.Cut(line, []byte(":")); is && !bytes.ContainsAny(line[:1], " -#") {
			taking = slices.Contains(names, string(key))
		}
		if taking {
			taken, rest = append(taken, line...), append(rest, '\n')
		} else {
			taken, rest = append(taken, '\n'), append(rest, line...)
		}
	}
	return taken, rest
}

// decodeVoice reads the part of a provider's file that says how it refuses.
func decodeVoice(p *Provider, source []byte) (Voice, yamlfile.Mistakes) {
	d := &decoder{Reader: &yamlfile.Reader{File: p.Name}}
	own := *p
	own.voice = nil
	if root := d.Document(source); root != nil {
		d.Mapping(root, "the provider", d.voice(&own))
		d.checkWords("base", d.baseWords, p.BaseNames())
	}
	return own.Voice(), d.Told()
}

// BuiltinAt is the built-in provider whose servers have a host, in the form of [HostOf]; nil where there
// is none. The others are not decoded. Safe for concurrent use.
func BuiltinAt(host string) *Provider {
	for _, name := range BuiltinNames() {
		source, _ := providerFiles.ReadFile(providerFolder + "/" + name + ".yaml") // embedded: it is there
		if host == "" || !bytes.Contains(source, []byte(host)) {
			continue
		}
		if p, err := Builtin(name); err == nil && slices.Contains(p.Hosts(), host) {
			return p
		}
	}
	return nil
}
