package declared

import (
	"embed"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"go.yaml.in/yaml/v3"
)

//go:embed kinds/*.yaml
var kindFiles embed.FS

// A Kind is what is known of one kind of file.
type Kind struct {
	Name     string
	Label    string   // in a sentence: "a file of …"
	Files    []string // patterns of the base names by which it is found
	Formats  []string // json, yaml or toml; the first is that of a text without a name
	Provider string   // the built-in one whose scopes these are; "" where the file does not tell
	Comments bool     // its JSON may have comments
	Holds    [][]string
	Places   []Place
}

// A Place is where scopes stand in such a file.
type Place struct {
	Path   []string // the names that lead there; * for any
	Form   string   // list, or a text with blanks or commas
	Keys   bool     // the names of a mapping may stand in place of a list
	Levels []scopes.Level
	Token  string // which of several tokens gets them; "" where there is one
	Marks  bool   // what stands here stands in the token's first place too, and has this level
	Most   int    // scopes; 0 for no limit
}

// anyName is the part of a path that stands for any name.
const anyName = "*"

// The forms in which scopes stand somewhere.
const (
	formList   = "list"
	formBlanks = "blanks"
	formCommas = "commas"
)

// takes reports whether a need of a level can stand in the place.
func (p *Place) takes(level scopes.Level) bool { return slices.Contains(p.Levels, level) }

// where is the path for people.
func (p *Place) where(entry string) string { return strings.Join(p.at(entry), ".") }

// at is the path with a name of the file's own in it.
func (p *Place) at(entry string) []string {
	at := slices.Clone(p.Path)
	if i := slices.Index(at, anyName); i >= 0 {
		at[i] = entry
	}
	return at
}

// HasEntries reports whether such a file has several entries, by names of its own, each with scopes.
func (k *Kind) HasEntries() bool { return slices.Contains(k.Places[0].Path, anyName) }

// HasLevels reports whether such a file tells scopes of one level from those of another.
func (k *Kind) HasLevels() bool {
	return slices.ContainsFunc(k.Places, func(p Place) bool { return len(p.Levels) < len(scopes.Levels()) })
}

// Tokens are the tokens that such a file tells apart, the usual one first.
func (k *Kind) Tokens() []string {
	var tokens []string
	for _, p := range k.Places {
		if p.Token != "" && !slices.Contains(tokens, p.Token) {
			tokens = append(tokens, p.Token)
		}
	}
	return tokens
}

// Kinds are all kinds, by their names.
var Kinds = sync.OnceValue(func() []*Kind {
	entries, err := kindFiles.ReadDir("kinds")
	if err != nil {
		panic(err)
	}
	var kinds []*Kind
	for _, e := range entries {
		source, err := kindFiles.ReadFile("kinds/" + e.Name())
		if err != nil {
			panic(err)
		}
		k, mistakes := decodeKind(e.Name(), source)
		if len(mistakes) > 0 {
			panic(mistakes) // a test reads all of them
		}
		kinds = append(kinds, k)
	}
	return kinds
})

// KindNames are the names of all kinds.
func KindNames() []string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, k.Name)
	}
	return names
}

func decodeKind(file string, source []byte) (*Kind, yamlfile.Mistakes) {
	r := &yamlfile.Reader{File: file}
	k := &Kind{Name: strings.TrimSuffix(file, path.Ext(file))}
	words := func(into *[]string, allowed ...string) func(*yaml.Node) {
		return func(n *yaml.Node) {
			*into = r.Distinct(n, "the list", "word", func(item *yaml.Node) string {
				if len(allowed) > 0 {
					return r.Word(item, "format", allowed)
				}
				return r.Text(item, "a word")
			})
		}
	}
	root := r.Document(source)
	if root == nil {
		return nil, r.Told()
	}
	var holds []string
	r.Mapping(root, "a kind", []yamlfile.Member{
		yamlfile.Required("label", func(n *yaml.Node) { k.Label = r.Text(n, "label") }),
		yamlfile.Required("files", words(&k.Files)),
		yamlfile.Required("formats", words(&k.Formats, formatJSON, formatYAML, formatTOML)),
		yamlfile.Optional("provider", func(n *yaml.Node) { k.Provider = r.Word(n, "provider", provider.BuiltinNames()) }),
		yamlfile.Optional("comments", func(n *yaml.Node) { k.Comments = r.Boolean(n, "comments") }),
		yamlfile.Required("holds", words(&holds)),
		yamlfile.Required("places", func(n *yaml.Node) {
			r.List(n, "places", func(item *yaml.Node) { k.Places = append(k.Places, decodePlace(r, item)) })
		}),
	})
	for _, dotted := range holds {
		k.Holds = append(k.Holds, strings.Split(dotted, "."))
	}
	return k, r.Told()
}

func decodePlace(r *yamlfile.Reader, n *yaml.Node) (p Place) {
	r.Mapping(n, "a place", []yamlfile.Member{
		yamlfile.Required("path", func(n *yaml.Node) { p.Path = strings.Split(r.Text(n, "path"), ".") }),
		yamlfile.Required("form", func(n *yaml.Node) { p.Form = r.Word(n, "form", []string{formList, formBlanks, formCommas}) }),
		yamlfile.Optional("keys", func(n *yaml.Node) { p.Keys = r.Boolean(n, "keys") }),
		yamlfile.Required("levels", func(n *yaml.Node) {
			r.List(n, "levels", func(item *yaml.Node) {
				var level scopes.Level
				if err := level.UnmarshalText([]byte(r.Word(item, "level", scopes.LevelWords()))); err == nil {
					p.Levels = append(p.Levels, level)
				}
			})
		}),
		yamlfile.Optional("token", func(n *yaml.Node) { p.Token = r.Name(n, "token") }),
		yamlfile.Optional("marks", func(n *yaml.Node) { p.Marks = r.Boolean(n, "marks") }),
		yamlfile.Optional("most", func(n *yaml.Node) { p.Most = r.Number(n, "most", 1, 10000) }),
	})
	return p
}

// A KindError is a file of which it cannot be told what it is.
type KindError struct{ Problem string }

// Error says so.
func (e *KindError) Error() string { return e.Problem }

// Hint lists the kinds, by which a file can be named.
func (e *KindError) Hint() string {
	return "name its kind, as KIND=FILE: " + strings.Join(KindNames(), ", ")
}

// SplitKind splits KIND=FILE, or KIND:ENTRY=FILE; of a file alone the kind is "".
func SplitKind(argument string) (kind, file string) {
	word, rest, found := strings.Cut(argument, "=")
	if name, _, _ := strings.Cut(word, ":"); found && slices.Contains(KindNames(), name) {
		return word, rest
	}
	return "", argument
}

// Named is the kind with that name.
func Named(name string) (*Kind, error) {
	for _, k := range Kinds() {
		if k.Name == name {
			return k, nil
		}
	}
	return nil, &KindError{Problem: "unknown kind " + text.Quote(name) + text.Allowed(name, KindNames()).String()}
}

// fits reports whether a file's base name is one of the kind's.
func (k *Kind) fits(file string) bool {
	base := path.Base(strings.ReplaceAll(file, `\`, "/"))
	return slices.ContainsFunc(k.Files, func(pattern string) bool {
		matched, err := path.Match(pattern, base)
		return err == nil && matched
	})
}

// refuse returns a *[KindError] where a file is of another kind, by its name and by what it holds, and has
// nothing of this one: whoever names a kind may have named the wrong file. d is nil for a file that is not there.
func (k *Kind) refuse(file string, d *document) error {
	is := func(k *Kind) bool { return d != nil && slices.ContainsFunc(k.Holds, d.holds) }
	if is(k) {
		return nil
	}
	for _, other := range Kinds() {
		if other != k && other.fits(file) && (is(other) || !k.fits(file)) {
			return &KindError{Problem: text.Printable(file) + " is " + other.Label + ", and not " + k.Label}
		}
	}
	return nil
}

// formatFor is the format in which a file of the kind is written; "" where its name is that of another.
func (k *Kind) formatFor(file string) string {
	format := ""
	switch strings.ToLower(path.Ext(file)) {
	case ".json":
		format = formatJSON
	case ".yaml", ".yml":
		format = formatYAML
	case ".toml":
		format = formatTOML
	default:
		return k.Formats[0]
	}
	if !slices.Contains(k.Formats, format) {
		return ""
	}
	return format
}

// find tells the kind of a file by its name, and by what it holds: two kinds can have one name. A file
// with a mistake is not told apart; its mistakes are.
func find(file string, source []byte) (*Kind, error) {
	var named, held []*Kind
	var broken yamlfile.Mistakes
	for _, k := range Kinds() {
		format := k.formatFor(file)
		if format == "" {
			continue
		}
		d, mistakes := parse(k, format, file, source)
		switch fits := k.fits(file); {
		case fits && len(mistakes) > 0:
			named, broken = append(named, k), mistakes
		case len(mistakes) > 0:
		case fits && slices.ContainsFunc(k.Holds, d.holds):
			return k, nil
		case fits:
			named = append(named, k)
		case slices.ContainsFunc(k.Places, func(p Place) bool { return d.holds(p.Path) }):
			held = append(held, k)
		}
	}
	switch {
	case len(named) == 1:
		return named[0], nil
	case len(broken) > 0:
		return nil, broken
	case len(named) == 0 && len(held) == 1:
		return held[0], nil
	}
	return nil, &KindError{Problem: "it is unclear what kind of file " + text.Printable(file) + " is"}
}
