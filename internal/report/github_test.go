package report

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/testkit"
)

// golden holds what came against a file of testdata, or writes that with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	testkit.Golden(t, filepath.Join("testdata", name), got)
}

// hostile is a report whose every word comes from someone who means harm.
func hostile() Report {
	const bad = "x\r\n::stop-commands::y##[error]\n%0A,title=z:: \x1b[2J `a` | b <script>&amp;[l](https://evil.example) *_~#!\\ \u202e"
	return Report{
		Name: bad, Verdict: bad, Steps: []advice.Step{{Text: bad, Command: bad, URL: bad}}, Rows: []Row{{Scope: "a`b``c|d", Level: bad, State: bad, Why: bad}},
		Findings: []Finding{{Rule: "some_rule", Level: Mistake, File: "a,b:c\n%.yaml", Line: 1, Scope: bad, Message: bad}},
	}
}

func TestGitHubText(t *testing.T) {
	golden(t, "report_hostile.github", Annotations([]Report{hostile()}, ""))
}

// What comes from outside is in the line of the verdict, which is no command, and in one command a finding.
func TestGitHubTextIsOneLineAFinding(t *testing.T) {
	report := hostile()
	report.Verdict += " 2"
	text := Annotations([]Report{report}, "")
	verdict, command, _ := strings.Cut(text, "\n")
	if !strings.HasPrefix(verdict, "ambit: x") || strings.Contains(verdict, "##[") {
		t.Errorf("the verdict's line may be a command: %q", verdict)
	}
	if strings.Count(command, "\n") != 1 || strings.ContainsAny(text, "\r\x1b\u202e") {
		t.Errorf("more than a line of printable text: %q", text)
	}
	properties, _, _ := strings.Cut(strings.TrimPrefix(command, "::error "), "::")
	if want := "file=a%2Cb%3Ac%0A%25.yaml,line=1,title=ambit%3A some rule x"; !strings.HasPrefix(properties, want) || strings.Count(properties, ",") != 2 {
		t.Errorf("the properties are %q, want %s… and no other", properties, want)
	}
}

func TestGitHubFiles(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	above := filepath.Dir(filepath.Dir(here))
	for name, c := range map[string]struct{ workspace, file, want string }{
		"no workspace":             {"", "a/scopes.yaml", "a/scopes.yaml"},
		"in the workspace":         {here, "scopes.yaml", "scopes.yaml"},
		"below the workspace":      {above, "scopes.yaml", "internal/report/scopes.yaml"},
		"named from elsewhere":     {here, filepath.Join(here, "a", "scopes.yaml"), "a/scopes.yaml"},
		"dots":                     {here, "./a/../scopes.yaml", "scopes.yaml"},
		"above the workspace":      {here, "../scopes.yaml", "../scopes.yaml"},
		"not in the workspace":     {filepath.Join(here, "a"), "b/scopes.yaml", "b/scopes.yaml"},
		"a name that begins so":    {filepath.Join(here, "a"), filepath.Join(here, "ab.yaml"), filepath.ToSlash(filepath.Join(here, "ab.yaml"))},
		"workspace with an ending": {here + string(filepath.Separator), "scopes.yaml", "scopes.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Annotations([]Report{{Findings: []Finding{{File: c.file, Line: 7}}}}, c.workspace)
			if want := "::notice file=" + escapeProperty(c.want) + ",line=7,"; !strings.HasPrefix(got, want) {
				t.Errorf("got %q, want %s…", got, want)
			}
		})
	}
}

// A Finding without a place has none in the annotation.
func TestGitHubPlaces(t *testing.T) {
	for want, f := range map[string]Finding{
		"::warning title=ambit%3A r::m\n":                     {Rule: "r", Level: Warning, Message: "m", Line: 3, Column: 4},
		"::warning file=f,title=ambit%3A r::m\n":              {Rule: "r", Level: Warning, Message: "m", File: "f", Column: 4},
		"::warning file=f,line=3,title=ambit%3A r::m\n":       {Rule: "r", Level: Warning, Message: "m", File: "f", Line: 3},
		"::warning file=f,line=3,col=4,title=ambit%3A r::m\n": {Rule: "r", Level: Warning, Message: "m", File: "f", Line: 3, Column: 4},
	} {
		if got := Annotations([]Report{{Findings: []Finding{f}}}, ""); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// GitHub shows ten annotations of a kind: what is beyond is counted in the last line.
func TestGitHubTextFolds(t *testing.T) {
	some := func(n int, level Severity) []Finding {
		list := make([]Finding, n)
		for i := range list {
			list[i] = Finding{Rule: "r", Level: level, Message: fmt.Sprint(i)}
		}
		return list
	}
	for name, c := range map[string]struct {
		notices, warnings, mistakes int
		want                        [3]int // lines of each kind, in the same order
		more                        string
	}{
		"none":                 {0, 0, 0, [3]int{}, ""},
		"as many as are shown": {10, 10, 10, [3]int{10, 10, 10}, ""},
		"a mistake too many":   {3, 10, 11, [3]int{4, 10, 10}, "::1 more finding not shown"},
		"notices make room":    {10, 10, 11, [3]int{10, 10, 10}, "::2 more findings not shown"},
		"many of all":          {100, 200, 300, [3]int{10, 10, 10}, "::571 more findings not shown"},
	} {
		t.Run(name, func(t *testing.T) {
			list := append(append(some(c.notices, Notice), some(c.warnings, Warning)...), some(c.mistakes, Mistake)...)
			text := Annotations([]Report{{Findings: list}}, "")
			got := [3]int{strings.Count(text, "::notice "), strings.Count(text, "::warning "), strings.Count(text, "::error ")}
			if got != c.want {
				t.Errorf("%v lines of each kind, want %v", got, c.want)
			}
			if c.mistakes > 0 && !strings.HasPrefix(text, "::error title=ambit%3A r::0\n") {
				t.Errorf("the gravest does not come first:\n%s", text)
			}
			lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			if last := lines[len(lines)-1]; c.more != "" && !strings.Contains(last, c.more) || c.more == "" && strings.Contains(text, "more finding") {
				t.Errorf("the last line is %q, want %q", last, c.more)
			}
		})
	}
	list := append(some(1, Notice), some(1, Mistake)...)
	Annotations([]Report{{Findings: list}}, "")
	if list[0].Level != Notice {
		t.Error("the findings themselves were put into another order")
	}
}

func TestMarkdown(t *testing.T) {
	golden(t, "report_hostile.md", Markdown([]Report{hostile()}))
}

// Cells end where they should, and nothing in them is markup.
func TestSummaryMarkdownCells(t *testing.T) {
	code := false
	for _, line := range strings.Split(Markdown([]Report{hostile()}), "\n") {
		if strings.HasPrefix(line, "```") { // a block is one line of what is to be copied
			code = !code
		}
		if code || strings.Contains(line, "details>") && !strings.Contains(line, "x") {
			continue
		}
		if bars := strings.Count(line, "|") - strings.Count(line, `\|`); strings.HasPrefix(line, "| ") && bars != 5 {
			t.Errorf("a row of %d bars: %s", bars, line)
		}
		if strings.ContainsAny(line, "<>\r\x1b") || strings.Contains(line, " [l]") {
			t.Errorf("markup in %q", line)
		}
	}
	for text, want := range map[string]string{"a": "`a`", "a|b": "`a\\|b`", "a`b": "`` a`b ``", "``": "``` `` ```"} {
		if got := CodeCell(text); got != want {
			t.Errorf("CodeCell(%q) = %s, want %s", text, got, want)
		}
	}
}

// A summary that GitHub would refuse for its size is no summary.
func TestSummaryMarkdownIsBounded(t *testing.T) {
	r := Report{Name: "n"}
	for i := range 20_000 {
		r.Rows = append(r.Rows, Row{Scope: fmt.Sprint("scope:", i), Why: strings.Repeat("w", 100)})
		r.Findings = append(r.Findings, Finding{Message: fmt.Sprint("message ", i, strings.Repeat("m", 100))})
	}
	text := Markdown([]Report{r})
	if len(text) > MaxSummary+100 || len(text) < MaxSummary/2 {
		t.Errorf("%d bytes", len(text))
	}
	if n := strings.Count(text, "\nand "); n != 2 || !strings.HasSuffix(text, "</details>\n") {
		t.Errorf("%d of the two lists say that there is more; the end is %q", n, text[len(text)-50:])
	}
}

func TestAppendSummary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "summary.md")
	for _, text := range []string{"one\n", "two\n"} {
		if err := AppendSummary(path, text); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); string(got) != "one\ntwo\n" {
		t.Errorf("the file holds %q (%v)", got, err)
	}
	if err := AppendSummary(filepath.Join(t.TempDir(), "not", "there.md"), "x"); err == nil {
		t.Error("a directory that is not there is no error")
	}
}
