package report

import (
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/advice"
)

// aReport has a finding of each severity, two of them alike, and a step.
func aReport() Report {
	return Report{
		Name: "tool", Verdict: "missing 2 of 3 scopes: key_*** (A_KEY, one)", Steps: []advice.Step{{Text: "get another key", Command: "ambit login", URL: "https://one.example/keys"}},
		Findings: []Finding{
			{Rule: "missing_scope", Level: Warning, File: "scopes.yaml", Line: 6, Scope: "b:read", Message: "recommended scope b:read is not granted"},
			{Rule: "missing_scope", Level: Mistake, File: "scopes.yaml", Line: 5, Scope: "a:read", Message: "required scope a:read is not granted"},
			{Rule: "manifest", Level: Notice, File: "scopes.yaml", Message: "the same"},
			{Rule: "manifest", Level: Notice, File: "scopes.yaml", Message: "the same"},
		},
		Rows: []Row{{Scope: "a:read", Level: "required", State: "no"}, {Scope: "b:read", Level: "recommended", State: "no"}, {Scope: "c:read", Level: "optional", State: "yes"}},
	}
}

// A case for each scope, and one for each finding about none; only what makes the run fail is a failure,
// and says what to do.
func TestJUnit(t *testing.T) {
	var got junitSuites
	text := JUnit([]Report{aReport(), hostile()})
	if err := xml.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if strings.Contains(text, "\x1b") || strings.Contains(text, "<script>") {
		t.Errorf("a control character, or markup, in\n%s", text)
	}
	suite := got.Suites[0]
	if suite.Tests != 5 || suite.Failures != 1 || suite.Skipped != 3 || got.Tests != 5+got.Suites[1].Tests {
		t.Errorf("%d tests, %d failures, %d skipped; %d in all", suite.Tests, suite.Failures, suite.Skipped, got.Tests)
	}
	first := suite.Cases[0]
	if first.Name != "a:read (required)" || first.Failure == nil || !strings.Contains(first.Failure.Text, "next: get another key: ambit login; at https://one.example/keys") {
		t.Errorf("the first case is %+v", first)
	}
	if green := suite.Cases[2]; green.Failure != nil || green.Skipped != nil {
		t.Errorf("a scope that is granted is %+v", green)
	}
}

// GitLab shows of issues with one fingerprint a single one.
func TestCodeQuality(t *testing.T) {
	text, err := json.Marshal(CodeQuality([]Report{aReport(), hostile()}, ""))
	if err != nil {
		t.Fatal(err)
	}
	var got []struct {
		Description, Fingerprint, Severity string
		Location                           struct {
			Path  string
			Lines struct{ Begin int }
		}
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	prints := make(map[string]bool)
	for _, issue := range got {
		if prints[issue.Fingerprint] || issue.Location.Path == "" || issue.Location.Lines.Begin < 1 || strings.ContainsAny(issue.Description, "\n\x1b") {
			t.Errorf("%+v", issue)
		}
		prints[issue.Fingerprint] = true
	}
	if len(got) != 5 || got[0].Severity != "critical" || !strings.Contains(got[0].Description, "next: get another key") || got[1].Severity != "minor" || got[2].Severity != "info" {
		t.Errorf("%s", text)
	}
}

// A comment is found again by its first line, says the verdict first and what to do before the table, and
// puts the scopes first that something was found about.
func TestComment(t *testing.T) {
	text := Comment([]Report{aReport()})
	at := -1
	for _, part := range []string{CommentMark + "\n", "### ❌ tool\n", "missing 2 of 3 scopes", "- **error** scopes.yaml:5: ", "- **warning** ", "**Next:** get another key", "```sh\nambit login\n```", "<summary>3 declared scopes</summary>", "| `a:read` |", "| `b:read` |", "| `c:read` |"} {
		next := strings.Index(text, part)
		if next <= at {
			t.Errorf("%q is not there, or not after what goes before it, in\n%s", part, text)
		}
		at = next
	}
	if !strings.HasPrefix(text, CommentMark) {
		t.Errorf("it begins with %q", text[:40])
	}
}
