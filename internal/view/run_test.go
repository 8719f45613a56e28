package view_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/google/go-cmp/cmp"
)

// shown is what a terminal of 80 columns shows of verdicts, in their order.
func shown(verdicts ...diagnosis.Verdict) string {
	p := &view.Printer{Width: 80}
	var said view.Said
	for _, v := range verdicts {
		view.VerdictText(p, said.News(v))
	}
	return p.String()
}

// The cause stands first, and is not repeated; a command stays whole, to be copied.
func TestVerdictText(t *testing.T) {
	v := diagnosis.Verdict{
		Message: "missing scope: llm_gateway:read (every model call of the agent)", Missing: []string{"llm_gateway:read"},
		Why:       map[string]string{"llm_gateway:read": "every model call of the agent"},
		NeededFor: map[string][]string{"llm_gateway:read": {"POST {gateway}/v1/messages"}},
		Evidence:  []string{`the server responded with 401 Unauthorized: "Authentication required"`}, Said: "Authentication required",
		Next: []advice.Step{
			{Text: "log in again, and leave the boxes ticked", Command: "ambit login -f a/path/that/is/long/enough/not/to/fit/into/the/rest/of/the/line/scopes.yaml"},
			{Text: "ask", Command: "ambit status"},
		},
		Log: "/log",
	}
	want := `ambit: missing scope: llm_gateway:read (every model call of the agent)
  used by       POST {gateway}/v1/messages
  because       the server responded with 401 Unauthorized: "Authentication
                required"
  next          log in again, and leave the boxes ticked:
                ambit login -f a/path/that/is/long/enough/not/to/fit/into/the/rest/of/the/line/scopes.yaml
  next          ask: ambit status
  log           /log
`
	if diff := cmp.Diff(want, shown(v)); diff != "" {
		t.Error(diff)
	}
}

// Of several missing scopes each has its line; the first line has no room for all.
func TestVerdictTextOfSeveral(t *testing.T) {
	got := shown(diagnosis.Verdict{
		Message: "missing scope: a (one), b (for GET {api}/b)", Missing: []string{"a", "b"}, Why: map[string]string{"a": "one"},
		NeededFor: map[string][]string{"a": {"tool:first", "tool:second"}, "b": {"GET {api}/b"}},
	})
	for _, line := range []string{"  missing       a (tool:first, tool:second)\n", "  missing       b (GET {api}/b)\n"} {
		if !strings.Contains(got, line) {
			t.Errorf("%q lacks %q", got, line)
		}
	}
}

// What one verdict has said, the next does not say again: the server's sentence, an advice,
// the log.
func TestVerdictsSayThingsOnce(t *testing.T) {
	refused := diagnosis.Verdict{
		Message: `not a scope problem: the server says "no entry"`, Said: "no entry", Evidence: []string{`the server responded with 403 Forbidden: "no entry"`},
		Next: []advice.Step{{Text: "ask an admin"}}, Log: "/log",
	}
	other := refused
	other.Message, other.Said, other.Evidence = `not a scope problem: the server says "closed"`, "closed", []string{`the server responded with 403 Forbidden: "closed"`}
	want := `ambit: not a scope problem: the server says "no entry"
  because       the server responded with 403 Forbidden
  next          ask an admin
  log           /log
ambit: not a scope problem: the server says "closed"
  because       the server responded with 403 Forbidden
`
	if diff := cmp.Diff(want, shown(refused, other)); diff != "" {
		t.Error(diff)
	}
}

// What the first line has is not said again below it, and a long list has an end.
func TestVerdictSaysThingsOnceAndBounded(t *testing.T) {
	v := diagnosis.Verdict{
		Message: `unknown: the server says "no entry" (403 Forbidden)`, Said: "no entry",
		Evidence: []string{`the server responded with 403 Forbidden: "no entry"`, "server us was asked, and knows the credential"},
	}
	unread := diagnosis.Verdict{
		Message:  "unknown: the server responded to GET {api}/x with 403 Forbidden, and its reason could not be read",
		Evidence: []string{"the server responded with 403 Forbidden; its body is compressed with br, and was not read"},
	}
	want := `ambit: unknown: the server says "no entry" (403 Forbidden)
  because       server us was asked, and knows the credential
ambit: unknown: the server responded to GET {api}/x with 403 Forbidden, and
  its reason could not be read
  because       its body is compressed with br, and was not read
`
	if diff := cmp.Diff(want, shown(v, unread)); diff != "" {
		t.Error(diff)
	}
	many := diagnosis.Verdict{Message: "missing scope: s0, s1, s2, and 397 more"}
	for i := range 400 {
		many.Missing = append(many.Missing, fmt.Sprintf("s%d", i))
		many.Evidence = append(many.Evidence, fmt.Sprintf("the response names s%d", i))
	}
	got := shown(many)
	if strings.Count(got, "\n") != 23 || strings.Count(got, "and 390 more\n") != 2 || !strings.Contains(got, "  missing       s9\n") {
		t.Errorf("%s", got)
	}
}

// A page has a line of its own where it does not fit, and no colon touches the scope before it.
func TestStepWithAPage(t *testing.T) {
	got := shown(diagnosis.Verdict{
		Message: "missing scope: llm_gateway:read", Missing: []string{"llm_gateway:read"},
		Next: []advice.Step{{Text: "use a key that also includes llm_gateway:read", URL: "https://us.example.com/a/page/that/does/not/fit/on/the/line"}},
	})
	if !strings.HasSuffix(got, "also includes llm_gateway:read; at\n                https://us.example.com/a/page/that/does/not/fit/on/the/line\n") {
		t.Error(got)
	}
}

// What overrides nothing is told as what it is.
func TestConflictLine(t *testing.T) {
	for want, c := range map[string]profile.Conflict{
		"the environment sets K, which does not override the lent credential":                                {Path: "environment", Source: profile.SourceEnvironment, Keys: []string{"K"}},
		"/home/.credentials.json: a login of the program's own, which does not override the lent credential": {Path: "/home/.credentials.json", Source: profile.SourceLogin},
	} {
		if got := view.ConflictLine(c); got != want {
			t.Errorf("%q", got)
		}
	}
}

// A block names the request once: in a line of its own where nothing else in it does.
func TestVerdictNamesItsRequest(t *testing.T) {
	v := diagnosis.Verdict{
		Message: `not a scope problem: the server says "no entry"`, Method: "POST", Base: "gateway", Path: "/v1/messages", Evidence: []string{"the server responded with 403 Forbidden"},
	}
	tool := v
	tool.Tool = "notebook-edit"
	named := v
	named.Message = "unknown: the server responded to POST {gateway}/v1/messages with 403 Forbidden, and gave no reason"
	declared := v
	declared.Missing, declared.NeededFor = []string{"a"}, map[string][]string{"a": {"POST {gateway}/v1/{what}"}}
	for i, want := range []struct {
		v    diagnosis.Verdict
		call string
	}{{v, "  call          POST {gateway}/v1/messages\n"}, {tool, "  call          tool:notebook-edit\n"}, {named, ""}, {declared, ""}} {
		if got := shown(want.v); strings.Count(got, "  call ") != min(1, len(want.call)) || !strings.Contains(got, want.call) {
			t.Errorf("%d:\n%s", i, got)
		}
	}
}

// What was said before the start is not said again on the same screen, and what is new is.
func TestSaidBefore(t *testing.T) {
	var said view.Said
	forced := profile.Conflict{Path: "/etc/s.json", Keys: []string{"forceLoginMethod"}, Effect: profile.EffectReplaces, Overrides: true, Advice: "ask the administrator"}
	if got, want := view.ConflictLine(forced), "/etc/s.json sets forceLoginMethod, so the lent credential is not used: ask the administrator"; got != want {
		t.Errorf("%q", got)
	}
	said.Setting(forced)
	said.Foreseen(diagnosis.Verdict{Missing: []string{"a"}, Evidence: []string{"the grant does not include a"}})
	lacks := diagnosis.Verdict{
		Message: "probably missing scope: a (one)", Cause: diagnosis.CauseMissingScope, Missing: []string{"a"}, Method: "GET", Base: "api", Path: "/x",
		Evidence: []string{`the server responded with 403 Forbidden: "no"`, "scope: a", "the grant does not include a"},
	}
	other := lacks
	other.NeededFor = map[string][]string{"b": {"GET {api}/{what}"}}
	other.Message, other.Missing = "missing scope: a (one), b (two)", []string{"a", "b"}
	for _, c := range []struct {
		v    diagnosis.Verdict
		want string
	}{
		{lacks, "ambit: probably missing scope, as foreseen: a; GET {api}/x: the server responded with 403 Forbidden: \"no\"\n  because       scope: a\n"},
		{other, "ambit: missing scope: a (one), b (two)\n  missing       a\n  missing       b (GET {api}/{what})\n  because       the server responded with 403 Forbidden: \"no\"\n  because       scope: a\n  because       the grant does not include a\n"},
		{diagnosis.Verdict{
			Message: "not routed: no request came through ambit", Cause: diagnosis.CauseNotRouted, Evidence: []string{"/etc/s.json sets forceLoginMethod", "/other.json sets x"},
			Next: []advice.Step{{Text: "in /etc/s.json: ask the administrator"}, {Text: "in /other.json: remove x there"}},
		}, "ambit: not routed: no request came through ambit\n  because       /other.json sets x\n  next          in /other.json: remove x there\n"},
	} {
		p := &view.Printer{Width: view.Unlimited}
		view.VerdictText(p, said.News(c.v))
		if diff := cmp.Diff(c.want, p.String()); diff != "" {
			t.Error(diff)
		}
	}
}
