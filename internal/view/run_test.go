package view_test

import (
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent/diagnosis"
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
	for _, line := range []string{"  missing       a: one (tool:first, tool:second)\n", "  missing       b (GET {api}/b)\n"} {
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
