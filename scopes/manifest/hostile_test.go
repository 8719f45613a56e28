package manifest_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// fill repeats what makes up to just under the size limit, with its number.
func fill(head string, line func(i int) string) string {
	var b strings.Builder
	b.WriteString(head)
	for i := 0; b.Len() < yamlfile.MaxFileSize-200; i++ {
		b.WriteString(line(i))
	}
	return b.String()
}

func always(line string) func(int) string { return func(int) string { return line } }

// slow is far above what any of these takes (a quarter of a second at most, most of
// it the YAML parser's), and far below what the quadratic would.
const slow = 10 * time.Second

// A file of a megabyte that someone made to hurt is refused soon, with few words.
func TestHostileFiles(t *testing.T) {
	start := "version: 1\nname: a\nprovider: https://id.example\n"
	service := start[:len("version: 1\nname: a\n")] + "scopes: []\nprovider:\n  servers: {s: {issuer: https://id.example}}\n"
	nested := func(text string) string { return strings.Repeat(text, yamlfile.MaxFileSize/len(text)) }
	cases := map[string]string{
		"brackets":           nested("["),
		"dashes":             nested("- "),
		"question marks":     nested("? "),
		"braces":             nested("{a: "),
		"deep but allowed":   strings.Repeat("[", 9_999) + strings.Repeat("]", 9_999),
		"comments":           nested("# c\n"),
		"duplicate keys":     nested("name: 1\n"),
		"unknown keys":       fill("", func(i int) string { return fmt.Sprintf("verson%d: 1\n", i) }),
		"one long key":       "? " + nested("k")[100:] + "\n: 1\n",
		"anchors":            nested("- &a 1\n"),
		"duplicate scopes":   fill(start+"scopes:\n", always("- {scope: a, level: requird}\n")),
		"unknown bases":      fill(start+"scopes:\n- scope: a\n  level: required\n  used_by:\n", always("  - GET {isuer}/a\n")),
		"long scope":         start + "scopes:\n- {level: required, scope: \"" + nested("é")[300:] + "\"}\n",
		"control characters": start + "scopes:\n- {level: required, scope: \"" + nested(`\e`)[300:] + "\"}\n",
		"many alternatives":  fill(start+"scopes:\n- level: required\n  any_of:\n", func(i int) string { return fmt.Sprintf("  - s%d\n  - s%d\n", i, i) }),
		"programs":           fill(start+"scopes: []\nprograms:\n", always("  p: {scopes: []}\n")),
		"many servers": fill(service[:len(service)-len("{s: {issuer: https://id.example}}\n")]+"\n", func(i int) string {
			return fmt.Sprintf("    s%d: {issuer: 'https://id.example', b%d: 'https://x'}\n", i, i)
		}),
		"many bases":          fill(service[:len(service)-3]+",\n", func(i int) string { return fmt.Sprintf("    b%d: 'https://x',\n", i) }) + "}}\n",
		"many rules":          fill(service+"  implies:\n", func(i int) string { return fmt.Sprintf("  - {scope: a%d, covers: [a%d]}\n", i, i+1) }),
		"many covers":         fill(service+"  implies:\n  - scope: a\n    covers:\n", func(i int) string { return fmt.Sprintf("    - b%d\n", i) }),
		"many variables":      service + "  implies:\n  - {scope: a, covers: [\"" + fill("", func(i int) string { return fmt.Sprintf("{v%d}:", i) })[:yamlfile.MaxFileSize-400] + "\"]}\n",
		"many credentials":    fill(service+"  credentials:\n", func(i int) string { return fmt.Sprintf("  - {kind: unknown, prefix: p%d}\n", i) }),
		"many unknown usable": fill(service+"  errors:\n", func(i int) string { return fmt.Sprintf("  - {status: 403, means: silent, base: b%d}\n", i) }),
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			if len(text) > yamlfile.MaxFileSize {
				t.Fatalf("%d bytes: refused for its size alone", len(text))
			}
			start := time.Now()
			m, err := manifest.Decode("scopes.yaml", []byte(text), nil)
			if taken := time.Since(start); taken > slow {
				t.Errorf("took %v", taken)
			}
			var mistakes yamlfile.Mistakes
			if m != nil || !errors.As(err, &mistakes) || len(mistakes) > 101 {
				t.Fatalf("start %v, %d mistakes", m != nil, len(mistakes))
			}
			if words := err.Error(); len(words) > 101*600 {
				t.Errorf("%d bytes of message", len(words))
			}
		})
	}
}

// The sandbox's and anyone's provider file is read under the same bounds.
func TestHostileProviderAlone(t *testing.T) {
	text := fill("servers: {s: {issuer: https://id.example}}\nerrors:\n", always("- {status: 1, means: x, base: y}\n"))
	if _, err := provider.Decode("p.yaml", []byte(text)); err == nil || len(err.Error()) > 60_000 {
		t.Errorf("no error, or a very long one")
	}
}

func TestFileTooLarge(t *testing.T) {
	text := []byte("version: 1\n#" + strings.Repeat("x", yamlfile.MaxFileSize))
	_, err := manifest.Decode("scopes.yaml", text, nil)
	if err == nil || err.Error() != "scopes.yaml:1:1: the file is larger than 1 MiB" {
		t.Errorf("Decode = %v", err)
	}
	_, err = manifest.Decode("scopes.yaml", []byte("version: 1\nname: a\nscopes: []\nprovider: ./p.yaml\n"),
		func(string) ([]byte, error) { return text, nil })
	if err == nil || err.Error() != "p.yaml:1:1: the file is larger than 1 MiB" {
		t.Errorf("Decode with a large provider file = %v", err)
	}
}

// Beyond a hundred, mistakes are counted, and the count is right.
func TestMoreMistakesThanAreTold(t *testing.T) {
	text := "version: 1\nname: a\nprovider: https://id.example\nscopes: []\n" + strings.Repeat("x: 1\n", 250)
	_, err := manifest.Decode("scopes.yaml", []byte(text), nil)
	var mistakes yamlfile.Mistakes
	if !errors.As(err, &mistakes) || len(mistakes) != 101 {
		t.Fatalf("%d mistakes, want 100 and a count", len(mistakes))
	}
	last := mistakes[100]
	if last.Kind != yamlfile.TooMany || last.Message != "and 150 more mistakes" || last.Line != 104 {
		t.Errorf("the last is %v [%s]", last, last.Kind)
	}
}

// What comes from a file or a path cannot steer a terminal.
func TestMistakesAreOnePrintableLine(t *testing.T) {
	open := func(path string) ([]byte, error) {
		return nil, &os.PathError{Op: "open", Path: path, Err: os.ErrNotExist}
	}
	for _, text := range []string{
		"\"a\\e[2J\\n\": 1\n",
		"version: !!int \"1\\n\\e[31m\"\n",
		"provider: \"./a\\e[2J\\u202e.yaml\"\n",
		"version: !<!\\e> 1\n",
		"scopes: [{used_by: [\"tool:a\\u202eb\", \"GET {a\\nb}/\"]}]\n",
	} {
		_, err := manifest.Decode("a\x1b[2Jb.yaml", []byte(text), open)
		if err == nil {
			t.Errorf("%q: no mistake", text)
			continue
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			if !strings.HasPrefix(line, `a\x1b[2Jb.yaml:`) || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == '\u202e' }) {
				t.Errorf("%q: the line %q", text, line)
			}
		}
	}
}
