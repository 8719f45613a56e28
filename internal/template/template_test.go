package template_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/template"
)

func TestPart(t *testing.T) {
	for word, bad := range map[string]bool{
		"": false, "users": false, "{id}": false, "v{n}.json": false,
		"{": true, "}": true, "{}": true, "{a}{b}": true, "{a{b}}": true, "a}b": true,
	} {
		if _, err := template.ParsePart(word); (err != nil) != bad {
			t.Errorf("ParsePart(%q): %v", word, err)
		}
	}
	for _, c := range []struct {
		part, word, value string
		ok                bool
	}{
		{"users", "users", "", true},
		{"users", "user", "", false},
		{"{id}", "7", "7", true},
		{"{id}", "", "", false}, // a name stands for something
		{"v{n}.json", "v12.json", "12", true},
		{"v{n}.json", "v.json", "", false},
		{"a{n}a", "a", "", false}, // one letter is not both
	} {
		p, err := template.ParsePart(c.part)
		if err != nil {
			t.Fatal(err)
		}
		if value, ok := p.Match(c.word); ok != c.ok || value != c.value {
			t.Errorf("%q on %q: %q, %v", c.part, c.word, value, ok)
		}
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{{"{x}", "read", true}, {"r{x}", "write", false}, {"a{x}", "{y}b", true}, {"a{x}", "b{y}", false}, {"one", "one", true}} {
		a, _ := template.ParsePart(c.a)
		b, _ := template.ParsePart(c.b)
		if a.Overlaps(b) != c.want || b.Overlaps(a) != c.want {
			t.Errorf("%q and %q overlap: want %v", c.a, c.b, c.want)
		}
	}
}

func TestSearch(t *testing.T) {
	for _, c := range []struct {
		template, text string
		want           map[string]string // nil: it is not there
	}{
		{"lacks {scope} here", "error: lacks a:read here, sorry", map[string]string{"scope": "a:read"}},
		{"lacks {scope}", "it lacks a:read", map[string]string{"scope": "a:read"}},
		{"{who} lacks '{scope}'", "key lacks 'b'", map[string]string{"who": "key", "scope": "b"}},
		{"denied", "access denied.", map[string]string{}},
		{"lacks {scope} here", "lacks a:read there", nil},
		{"lacks {scope", "lacks a", nil},
		{"gone", "", nil},
	} {
		got, ok := template.Search(c.template, c.text)
		if ok != (c.want != nil) || ok && !maps.Equal(got, c.want) {
			t.Errorf("Search(%q, %q) = %v, %v", c.template, c.text, got, ok)
		}
	}
}

func TestFill(t *testing.T) {
	values := map[string]string{"api": "https://api.example", "x_1": "{api}"}
	for _, c := range []struct{ in, want, unknown string }{
		{"{api}/users", "https://api.example/users", ""},
		{`{"a": "{api}"}`, `{"a": "https://api.example"}`, ""},
		{"{x_1}", "{api}", ""}, // what was put in is not read again
		{"{no} and {api} and {nor}", "{no} and https://api.example and {nor}", "no"},
		{"{} {a b} {", "{} {a b} {", ""},
	} {
		got, unknown := template.Fill(c.in, func(name string) (string, bool) { v, ok := values[name]; return v, ok })
		if got != c.want || unknown != c.unknown {
			t.Errorf("Fill(%q) = %q, %q", c.in, got, unknown)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		template, text string
		want           map[string]string // nil: it does not match
	}{
		{"denied", "denied", map[string]string{}},
		{"denied", "denied.", nil},
		{"denied", "access denied", nil},
		{"required; url={url}", "required; url=https://a.example/b", map[string]string{"url": "https://a.example/b"}},
		{"required; url={url}", "not required; url=x", nil},
		{"{a}: {b}.", "x: y: z.", map[string]string{"a": "x", "b": "y: z"}},
		{"{a} and {b} end", "1 and 2 end and 3 end", map[string]string{"a": "1", "b": "2 end and 3"}},
		{"a{x}a", "a", nil}, // one letter is not both
		{"{x}", "", map[string]string{"x": ""}},
	} {
		got, ok := template.Match(c.template, c.text)
		if ok != (c.want != nil) || ok && !maps.Equal(got, c.want) {
			t.Errorf("Match(%q, %q) = %v, %v", c.template, c.text, got, ok)
		}
	}
}

func TestNames(t *testing.T) {
	for written, want := range map[string]string{"": "", "plain": "", "a {b} c{d-1}": "b d-1", "{": "error", "}": "error", "{A}": "error", "{a b}": "error", "{}": "error", "{{a}}": "error"} {
		names, err := template.Names(written)
		if err != nil && want != "error" || err == nil && strings.Join(names, " ") != want {
			t.Errorf("Names(%q) = %q, %v", written, names, err)
		}
	}
}
