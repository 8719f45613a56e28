package typing

import (
	"slices"
	"strings"
	"testing"
)

func TestEditor(t *testing.T) {
	long := strings.Repeat("0123456789", 1000)
	for name, c := range map[string]struct {
		keys  string
		lines []string
		echo  string // "" : not compared
		ended bool
	}{
		"a line":                  {keys: "abc\n", lines: []string{"abc"}, echo: "abc\n"},
		"Enter as it is sent":     {keys: "abc\r", lines: []string{"abc"}, echo: "abc\n"},
		"two lines":               {keys: "a\nb\n", lines: []string{"a", "b"}},
		"10,000 characters":       {keys: long + "\n", lines: []string{long}, echo: long + "\n"},
		"backspace":               {keys: "abx\x7fc\x08\x08d\n", lines: []string{"ad"}, echo: "abx\b \bc\b \b\b \bd\n"},
		"backspace at the start":  {keys: "\x7fa\n", lines: []string{"a"}, echo: "a\n"},
		"one letter of two bytes": {keys: "ä\x7fb\n", lines: []string{"b"}, echo: "ä\b \bb\n"},
		"Ctrl-U":                  {keys: "wrong\x15right\n", lines: []string{"right"}},
		"Ctrl-W":                  {keys: "two words \x17more\n", lines: []string{"two more"}},
		"Ctrl-D":                  {keys: "\x04", ended: true},
		"Ctrl-D after a text":     {keys: "abc\x04", lines: []string{"abc"}},
		"arrows":                  {keys: "a\x1b[Db\x1bOAc\x1b[1;5Cd\n", lines: []string{"abcd"}, echo: "abcd\n"},
		"escape alone":            {keys: "a\x1bb\n", lines: []string{"ab"}},
		"what has no picture":     {keys: "a\x00\x07\u200bb\u009b\n", lines: []string{"ab"}, echo: "ab\n"},
		"no text":                 {keys: "a\xff\xfeb\n", lines: []string{"ab"}, echo: "ab\n"},
		"a paste":                 {keys: "\x1b[200~abc\x1b[201~\n", lines: []string{"abc"}, echo: "abc\n"},
		"a paste with its break":  {keys: "\x1b[200~abc\n\x1b[201~", lines: []string{"abc"}, echo: "abc\n"},
		"a broken paste":          {keys: "\x1b[200~https://x/?code=ab \r\n  cd\n&state=e\x1b[201~\n", lines: []string{"https://x/?code=abcd&state=e"}},
		"keys within a paste":     {keys: "\x1b[200~a\x15b\x04\x7fc\x1b[201~\n", lines: []string{"abc"}},
		"a paste taken back":      {keys: "\x1b[200~ab\ncd\x1b[201~\x15e\n", lines: []string{"e"}, echo: "abcd\b \b\b \b\b \b\b \be\n"},
		"too much":                {keys: strings.Repeat("x", maxLine+1), ended: true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{len(c.keys), 1, 3} { // whatever comes at a time
				var e editor
				var lines []string
				var shown strings.Builder
				ended := false
				for piece := range slices.Chunk([]byte(c.keys), size) {
					echo, finished, end := e.feed(piece)
					shown.WriteString(echo)
					lines, ended = append(lines, finished...), ended || end
				}
				echo := shown.String()
				if !slices.Equal(lines, c.lines) || ended != c.ended || c.echo != "" && echo != c.echo {
					t.Errorf("in pieces of %d: %.200q, ended %t, shown %.200q", size, lines, ended, echo)
				}
			}
		})
	}
}

func TestHidden(t *testing.T) {
	e := editor{hidden: true}
	echo, lines, _ := e.feed([]byte("sec\x7fret\n"))
	if echo != "\n" || !slices.Equal(lines, []string{"seret"}) || e.shown() != "" {
		t.Errorf("%q, shown %q", lines, echo)
	}
}

// Whatever a terminal or a paste sends, nothing of it reaches the screen but text.
func FuzzEditor(f *testing.F) {
	for _, seed := range []string{"abc\n", "\x1b[200~a\nb\x1b[201~\n", "\x1b[", "ä\x7f\x17\x15\x04"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, keys []byte) {
		var e editor
		echo, lines, _ := e.feed(keys)
		if strings.ContainsAny(echo, "\x1b\x00\x07\r") || strings.ContainsAny(strings.Join(lines, ""), "\n\x1b") {
			t.Errorf("%q, shown %q", lines, echo)
		}
	})
}
