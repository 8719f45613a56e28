package text_test

import (
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/text"
)

// What a file or a server says can neither move the cursor, nor turn the direction of
// writing, nor flood a terminal.
func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"plain words, Zürich": "plain words, Zürich",
		"a\x1b[2Jb":           `a\x1b[2Jb`,
		"two\n\tlines\r":      "two lines",
		"a blank at the end ": "a blank at the end ",
		"\u202egnp.exe":       `\u202egnp.exe`,
		"bad \xff byte":       `bad \ufffd byte`,
		"":                    "",
	} {
		if got := text.Line(in); got != want {
			t.Errorf("Line(%q) = %q, want %q", in, got, want)
		}
	}
	long := strings.Repeat("ü", text.MaxLine)
	if got := text.Line(long); len(got) > text.MaxLine+len("…") || !strings.HasSuffix(got, "ü…") {
		t.Errorf("a long text has no end: %d bytes, ends in %q", len(got), got[len(got)-6:])
	}
	if got := text.Printable(long); got != long {
		t.Error("what has to be copied whole was cut")
	}
	if got := text.Block("one\x07\ntwo"); got != "one\\a\ntwo" {
		t.Errorf("Block = %q", got)
	}
}

func TestIsName(t *testing.T) {
	for name, want := range map[string]bool{
		"": false, "a name": true, "a\ttab": false,
		strings.Repeat("ü", text.MaxName): true, strings.Repeat("ü", text.MaxName+1): false,
	} {
		if text.IsName(name) != want {
			t.Errorf("IsName(%q) is %v", name, !want)
		}
	}
}

func TestAre(t *testing.T) {
	for n, want := range []string{"are", "is", "are"} {
		if got := text.Are(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestPlural(t *testing.T) {
	for noun, want := range map[string]string{"scope": "2 scopes", "repository": "2 repositories", "key": "2 keys"} {
		if got := text.Count(2, noun); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
