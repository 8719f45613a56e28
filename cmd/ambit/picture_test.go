//go:build !windows

package main

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/creack/pty"
)

// TestPicture compares docs/picture.svg with what it shows: an agent whose key lacks a
// scope, run as it is and then by ambit, on a terminal, against the sandbox.
func TestPicture(t *testing.T) {
	ready := startBox(t, sandbox.Options{}).Ready()
	env := []string{
		"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"), "TERM=xterm-256color", "AMBIT_MANIFEST=" + ready.Manifest,
		"POSTHOG_PERSONAL_API_KEY=" + ready.Keys.NoGateway, "AMBIT_GATEWAY_URL=" + ready.Gateway, "AMBIT_LEASE=" + ready.Keys.NoGateway,
	}
	const call = "POST gateway/v1/messages"
	alone, code := shownOnTerminal(t, env, "caller", call)
	if code != 7 || !strings.Contains(alone, "401") {
		t.Fatalf("without ambit: exit code %d\n%s", code, alone)
	}
	told, code := shownOnTerminal(t, env, "ambit", "run", "--", "caller", call)
	if code != 3 || !strings.Contains(told, "llm_gateway:read") {
		t.Fatalf("with ambit: exit code %d\n%s", code, told)
	}
	told = regexp.MustCompile(`(?s)\n  [^\n]*\blog\b.*?\n([^ ])`).ReplaceAllString(told, "\n$1") // it stands in a directory of this test
	want := picture([]pane{
		{"Without ambit", "agent '" + call + "'", alone},
		{"With ambit", "ambit run -- agent '" + call + "'", told},
	})
	name := filepath.Join(root, "docs/picture.svg")
	if testkit.Updating() {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, "docs/picture.svg"); got != want {
		t.Errorf("docs/picture.svg shows something else (go test ./cmd/ambit -run TestPicture -update):\n%s", want)
	}
	wellFormed(t, want)
}

// wellFormed wants XML that loads nothing and says what it shows.
func wellFormed(t *testing.T, svg string) {
	t.Helper()
	decoder, named := xml.NewDecoder(strings.NewReader(svg)), 0
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			if e.Name.Local == "title" || e.Name.Local == "desc" {
				named++
			}
			for _, a := range e.Attr {
				if a.Name.Local == "href" || a.Name.Local == "src" || strings.Contains(a.Value, "url(") {
					t.Errorf("the picture loads %s", a.Value)
				}
			}
		}
	}
	if named != 2 || strings.Contains(svg, "@import") {
		t.Errorf("%d of a title and a description", named)
	}
}

// columns is the width of the terminal in the picture.
const columns = 88

func shownOnTerminal(t *testing.T, env []string, command string, args ...string) (string, int) {
	t.Helper()
	c := exec.CommandContext(t.Context(), command, args...)
	c.Env = env
	terminal, err := pty.StartWithSize(c, &pty.Winsize{Rows: 40, Cols: columns})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	out, _ := io.ReadAll(terminal) // its error is the end
	_ = c.Wait()                   // its exit code is compared
	return steady(strings.ReplaceAll(string(out), "\r\n", "\n")), c.ProcessState.ExitCode()
}

// A pane is one command and what it showed.
type pane struct{ title, command, output string }

// picture draws panes one above the other, as an SVG that needs no font or style of others.
func picture(panes []pane) string {
	const left, wide, line, size = 22, 742, 20, 14
	var body, alt strings.Builder
	y := 14
	for _, p := range panes {
		y += 26
		fmt.Fprintf(&body, "<text class=\"head\" x=\"%d\" y=\"%d\">%s</text>\n", left, y, escaped(p.title))
		y += 8
		shown := "\x1b[2m$ \x1b[0m\x1b[1m" + p.command + "\x1b[0m\n" + strings.TrimSpace(p.output)
		for _, text := range strings.Split(shown, "\n") {
			y += line
			fmt.Fprintf(&body, "<text x=\"%d\" y=\"%d\">%s</text>\n", left, y, styled(text))
			fmt.Fprintf(&alt, "%s\n", escaped(style.ReplaceAllString(text, "")))
		}
		y += 12
	}
	width, height := left*2+wide, y+14
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 %[1]d %[2]d" width="%[1]d" height="%[2]d" role="img" aria-labelledby="t d">
<title id="t">A call that is refused, without ambit and with it</title>
<desc id="d">%[3]s</desc>
<style>
text { font: %[4]dpx ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; fill: #d8dee6; white-space: pre }
.head { font: 600 13px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #9aa7b4 }
.c1 { font-weight: 700; fill: #fff } .c2 { fill: #9aa7b4 } .c31 { fill: #ff8f87 } .c32 { fill: #7ee2a0 } .c33 { fill: #f2cc70 } .c36 { fill: #8bd5ff }
</style>
<rect x=".5" y=".5" width="%[5]d" height="%[6]d" rx="8" fill="#161b22" stroke="#6e7781"/>
%[7]s</svg>
`, width, height, strings.TrimSuffix(alt.String(), "\n"), size, width-1, height-1, body.String())
}

// style is one change of color or weight.
var style = regexp.MustCompile(`\x1b\[([0-9;]*)m`)

// styled is a line of a terminal as the inside of a text element.
func styled(text string) string {
	var b strings.Builder
	class := ""
	for text != "" {
		at := style.FindStringSubmatchIndex(text)
		run, next, rest := text, "", ""
		if at != nil {
			run, next, rest = text[:at[0]], text[at[2]:at[3]], text[at[1]:]
		}
		switch run = escaped(run); {
		case run == "":
		case cmp.Or(class, "0") == "0":
			b.WriteString(run)
		default:
			fmt.Fprintf(&b, `<tspan class="c%s">%s</tspan>`, strings.ReplaceAll(class, ";", " c"), run)
		}
		class, text = next, rest
	}
	return b.String()
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a builder takes everything
	return b.String()
}
