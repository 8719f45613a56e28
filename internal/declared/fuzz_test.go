package declared_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/declared"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v3"
)

// decode reads a file as others do.
func decode(file string, text []byte) (map[string]any, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	all := make(map[string]any)
	switch {
	case strings.HasSuffix(file, ".toml"):
		return all, toml.Unmarshal(text, &all)
	case strings.HasSuffix(file, ".yml"):
		return all, yaml.Unmarshal(text, &all)
	}
	return all, json.Unmarshal(text, &all)
}

// without is a document but for what stands at some paths, and for tables that hold nothing else.
func without(v any, paths [][]string) any {
	table, ok := v.(map[string]any)
	if !ok || len(paths) == 0 {
		return v
	}
	rest := make(map[string]any)
	for name, value := range table {
		var below [][]string
		gone := false
		for _, p := range paths {
			if p[0] == name {
				gone = gone || len(p) == 1
				below = append(below, p[1:])
			}
		}
		if gone {
			continue
		}
		if value = without(value, below); len(below) > 0 {
			if inner, ok := value.(map[string]any); value == nil || ok && len(inner) == 0 {
				continue
			}
		}
		rest[name] = value
	}
	return rest
}

// check edits a file and finds that only the part changed, and is what was wanted.
func checkInto(t *testing.T, file string, text []byte, needs []scopes.Need, implies scopes.Implications) {
	t.Helper()
	f, err := declared.Read(kindOf(file), file, text)
	if err != nil {
		return
	}
	before, err := decode(file, text)
	if err != nil {
		return // what others do not read is no file of theirs
	}
	after, err := f.Into(needs, implies, "")
	if err != nil {
		return
	}
	if len(f.Compare(needs, implies)) == 0 && !bytes.Equal(text, after) {
		t.Fatalf("%q asks for the same and became %q", text, after)
	}
	changed, err := decode(file, after)
	if err != nil {
		t.Fatalf("%q became %q: %v", text, after, err)
	}
	var paths [][]string
	for _, p := range f.Kind.Places {
		path := slices.Clone(p.Path)
		if at := slices.Index(path, "*"); at >= 0 {
			path[at] = f.Entry
		}
		paths = append(paths, path)
	}
	if diff := cmp.Diff(without(before, paths), without(changed, paths)); diff != "" {
		t.Fatalf("%q became %q: something else changed:\n%s", text, after, diff)
	}
	again, err := declared.Read(f.Kind.Name+":"+f.Entry, file, after)
	if err != nil {
		t.Fatalf("%q became %q: %v", text, after, err)
	}
	if d := again.Compare(needs, implies); len(d) > 0 {
		t.Fatalf("%q became %q, which differs: %+v", text, after, d)
	}
	if twice, err := again.Into(needs, implies, ""); err != nil || !bytes.Equal(twice, after) {
		t.Fatalf("%q became %q, and then %q: %v", text, after, twice, err)
	}
}

// fuzzedFiles are a name for each form of file.
var fuzzedFiles = []string{"appsscript.json", "manifest.yml", "shopify.app.toml", "app-hsmeta.json", ".mcp.json", "slack.yml", "slack.json"}

// kindOf is the kind of a file whose name does not say it.
func kindOf(file string) string {
	if strings.HasPrefix(file, "slack.") {
		return "slack"
	}
	return ""
}

func FuzzInto(f *testing.F) {
	for _, seed := range []string{
		"", "{}", `{"oauthScopes": ["a", "b"]}`, "permissions:\n  scopes:\n  - a # b\n", "permissions: {scopes: [a, 'b']}\n", "[access_scopes]\nscopes = 'a,b'\n", "access_scopes = {scopes = \"a\"}",
		`{"config": {"auth": {"requiredScopes": []}}}`, `{"mcpServers": {"a": {"oauth": {"scopes": "a b"}}}}`, "oauth_config:\n  scopes:\n    bot: [\n      a,\n    ]\n", "a: |\n  x\n\npermissions:\n", "- a\n",
		"permissions:\n  scopes:\n    a: {x: 1}\n", "[[a]]\nb = 1\n[access_scopes]\nrequired_scopes = [ # c\n 'a', \"\"\"b\"\"\" ]\n", "\ufeff{\r\n}", "a: 1\n...\n", "\r0: [00\n000]", "--- \npermissions:\r\n  scopes: []\r\n",
	} {
		for i := range fuzzedFiles {
			f.Add(i, seed, "b! c? d")
		}
	}
	f.Fuzz(func(t *testing.T, i int, text, words string) {
		needs := needsOf(words)
		for _, n := range needs {
			for _, scope := range n.AnyOf {
				if scopes.CheckScope(scope) != nil {
					return
				}
			}
		}
		checkInto(t, fuzzedFiles[uint(i)%uint(len(fuzzedFiles))], []byte(text), needs, scopes.Implications{})
	})
}

// Files as people write them, in every style and with what else stands in them: only the part changes, and all
// bytes before it and behind it stay.
func TestRandomFiles(t *testing.T) {
	edited := make(map[string]int)
	implies, err := scopes.NewImplications([]scopes.Rule{{Scope: "{x}:write", Covers: []string{"{x}:read"}}, {Scope: "*", Covers: []string{"{x}:read", "{x}:write"}}})
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 19))
		file := fuzzedFiles[r.IntN(len(fuzzedFiles))]
		head, part, tail := randomFile(r, file)
		text := head + part + tail
		var words []string
		for _, word := range []string{"a:read", "a:write", "b.write", "c|a:write", "c", "read_d|gone", "https://example.com/auth/e", "*"} {
			if r.IntN(3) == 0 {
				words = append(words, word+[]string{"!", "", "?"}[r.IntN(3)])
			}
		}
		needs := needsOf(strings.Join(words, " "))
		f, err := declared.Read(kindOf(file), file, []byte(text))
		if err != nil {
			t.Fatalf("seed %d: %q: %v", seed, text, err)
		}
		after, err := f.Into(needs, implies, "")
		if err != nil {
			t.Fatalf("seed %d: %q: %v", seed, text, err)
		}
		checkInto(t, file, []byte(text), needs, implies)
		if part == "" { // it is added at the end
			head, tail = text, ""
		}
		if !strings.HasPrefix(string(after), head) || !strings.HasSuffix(string(after), tail) {
			t.Fatalf("seed %d: %q became %q: more than the part changed", seed, text, after)
		}
		if string(after) != text {
			edited[file]++
		}
	}
	if len(edited) != len(fuzzedFiles) {
		t.Errorf("only these were edited: %v", slices.Sorted(maps.Keys(edited)))
	}
}

// randomFile is a file in three: what stands before the part with the scopes, that, and what stands behind it.
func randomFile(r *rand.Rand, file string) (head, part, tail string) {
	eol := strings.NewReplacer("\n", []string{"\n", "\r\n"}[r.IntN(2)])
	switch {
	case strings.HasSuffix(file, ".toml"):
		head, part, tail = randomTOML(r)
	case strings.HasSuffix(file, ".yml"):
		head, part, tail = randomYAML(r, file)
	default:
		head, part, tail = randomJSON(r, file)
	}
	return eol.Replace(head), eol.Replace(part), eol.Replace(tail)
}

func some(r *rand.Rand) []string {
	var words []string
	for _, word := range []string{"a:read", "a:write", "b.write", "c", "read_d", "gone", "https://example.com/auth/e"} {
		if r.IntN(3) == 0 {
			words = append(words, word)
		}
	}
	r.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
	return words
}

// list is a list in brackets in some style.
func list(r *rand.Rand, words []string, quotes []string, comment string, trailing bool) string {
	var b strings.Builder
	b.WriteByte('[')
	lines := r.IntN(2) == 0
	for i, word := range words {
		quote := quotes[r.IntN(len(quotes))]
		if lines {
			if comment != "" && r.IntN(4) == 0 {
				b.WriteString("\n      " + comment + " about, \"it\"")
			}
			b.WriteString("\n      ")
		} else if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(quote + word + quote)
		if i < len(words)-1 || trailing && r.IntN(2) == 0 {
			b.WriteByte(',')
		}
		if lines && comment != "" && r.IntN(4) == 0 {
			b.WriteString(" " + comment + " it's [this]")
		}
	}
	if lines && len(words) > 0 {
		b.WriteString("\n    ")
	}
	return b.String() + "]"
}

func randomJSON(r *rand.Rand, file string) (head, part, tail string) {
	words := some(r)
	part = `"oauthScopes": ` + list(r, words, []string{`"`}, "", false)
	switch file {
	case "app-hsmeta.json":
		part = `"config": {"auth": { "x": [1.50] }}`
		if r.IntN(2) == 0 {
			at := r.IntN(len(words) + 1)
			part = fmt.Sprintf(`"config": {"auth": {"requiredScopes": %s, "optionalScopes":%s}}`, list(r, words[:at], []string{`"`}, "", false), list(r, words[at:], []string{`"`}, "", false))
		}
	case ".mcp.json":
		part = `"mcpServers": {"one": {"oauth": {"scopes": "` + strings.Join(words, " ") + `"}}}`
	case "slack.json":
		part = `"oauth_config": {"scopes": {"bot": ` + list(r, words, []string{`"`}, "", false) + `}}`
	}
	switch r.IntN(3) {
	case 0:
		return "{\"first\": 1e3,\n  ", part, ",\n  \"last\" : {\"y\":\t[ ]}\n}\n"
	case 1:
		return "{\"first\":[],\"last\":2, ", part, "}"
	}
	return "{\n  \"first\": {\"a\": null},\n  \"last\": \"x\",\n\n  ", part, "\n}"
}

func randomTOML(r *rand.Rand) (head, part, tail string) {
	words := some(r)
	at := r.IntN(len(words) + 1)
	head = "# first\nname = 'x' # y\n"
	tail = "\n[last]\nz = [1, 2]\n[[more]]\na.b = '''\n[access_scopes]\n'''\n"
	if r.IntN(5) == 0 {
		return head, "", tail
	}
	part = "\n[access_scopes] # scopes\n"
	if r.IntN(2) == 0 {
		part += "  scopes = \"" + strings.Join(words[:at], []string{",", ", "}[r.IntN(2)]) + "\" # why\n"
	} else {
		part += "required_scopes=" + list(r, words[:at], []string{`"`, "'"}, "#", true) + "\n"
	}
	if r.IntN(2) == 0 {
		part += "optional_scopes = " + list(r, words[at:], []string{`"`, "'"}, "#", true) + "\n"
	}
	return head, part, tail
}

func randomYAML(r *rand.Rand, file string) (head, part, tail string) {
	above, key := "permissions", "scopes"
	if file == "slack.yml" {
		above, key = "oauth_config:\n  scopes", "bot"
	}
	indent := strings.Repeat("  ", strings.Count(above, "\n")+1)
	words := some(r)
	head = "# first\napp:\n" + indent + "id: ['x', y]\n" + indent + "text: |\n" + indent + "  " + key + ":\n\n"
	tail = "# last\nmodules:\n  - key: \"a\n      b\"\n"
	part = above + ": # part\n" + indent + "other: 1\n" + indent + key + ":"
	switch style := r.IntN(4); {
	case style == 0:
		return head, "", tail
	case style == 1 && len(words) > 0:
		dash := []string{"", "  "}[r.IntN(2)]
		part += " # these\n"
		for _, word := range words {
			if r.IntN(4) == 0 {
				part += indent + dash + "# about it\n"
			}
			quote := []string{"", "'", `"`}[r.IntN(3)]
			part += indent + dash + "- " + quote + word + quote + []string{"", " # it's"}[r.IntN(2)] + "\n"
		}
	case style == 2:
		part += "\n"
	default:
		part += " " + list(r, words, []string{"", "'", `"`}, "#", true) + "\n"
	}
	return head, part, tail
}
