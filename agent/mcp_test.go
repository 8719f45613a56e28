package agent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/google/go-cmp/cmp"
)

// rpc is a request of the legacy era.
func rpc(method, params string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"method":%q,"params":%s}`, method, params)
}

func rpcError(code int, message string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"error":{"code":%d,"message":%q}}`, code, message)
}

func toolResult(text, meta string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"result":{"isError":true,"content":[{"type":"text","text":%q}],"_meta":{%s}}}`, text, meta)
}

// answering is a server that has one answer.
func answering(t *testing.T, status int, kind, body string) (origin string) {
	return upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}).URL
}

const (
	asJSON   = "application/json"
	asEvents = "text/event-stream"
)

// A call of a tool is one of the tool that the manifest declares: what is refused for it names its
// scope. An MCP server says no for many other reasons, and those are not blamed on a scope.
func TestCallsOfTools(t *testing.T) {
	call := rpc("tools/call", `{"name":"notebook-edit","arguments":{"name":"x"}}`)
	unknown := rpcError(-32602, "Unknown tool: notebook-edit")
	lacks, proved, likely := []string{"notebook:write"}, diagnosis.ConfidenceProved, diagnosis.ConfidenceLikely
	none := diagnosis.Confidence("")
	modern := func(name string) []string { return []string{"Mcp-Method: tools/call", "Mcp-Name: " + name} }
	for name, tt := range map[string]struct {
		request string
		headers []string
		status  int
		kind    string
		body    string
		missing []string
		sure    diagnosis.Confidence
	}{
		"unknown":                     {call, nil, 200, asJSON, unknown, lacks, proved},
		"unknown, as an event":        {call, nil, 200, asEvents, "data: {\"method\":\"notifications/progress\"}\n\ndata: " + unknown + "\n\n", lacks, proved},
		"unknown, by a result":        {call, nil, 200, asJSON, toolResult(`MCP error -32602: Tool "notebook-edit" not found`, ""), lacks, proved},
		"its name in a header":        {rpc("tools/call", "{}"), modern("notebook-edit"), 200, asJSON, unknown, lacks, proved},
		"its name in base64":          {rpc("tools/call", "{}"), modern("=?base64?bm90ZWJvb2stZWRpdA==?="), 200, asJSON, unknown, lacks, proved},
		"denied by a result":          {call, nil, 200, asJSON, toolResult("Permission denied", ""), lacks, likely},
		"another scope, challenged":   {call, nil, 200, asJSON, toolResult("no", `"mcp/www_authenticate":["Bearer error=\"insufficient_scope\", scope=\"survey:read\""]`), []string{"survey:read"}, proved},
		"a parameter":                 {call, nil, 200, asJSON, rpcError(-32602, "Invalid arguments for tool notebook-edit: title is required"), nil, none},
		"something of the tool's":     {call, nil, 200, asJSON, toolResult("notebook-edit: notebook not found", ""), nil, none},
		"a tool with that beginning":  {rpc("tools/call", `{"name":"notebook"}`), nil, 200, asJSON, unknown, nil, none},
		"one that nobody declares":    {rpc("tools/call", `{"name":"x"}`), nil, 200, asJSON, rpcError(-32602, "Unknown tool: x"), nil, none},
		"a prompt of that name":       {rpc("prompts/get", `{"name":"notebook-edit"}`), nil, 200, asJSON, unknown, nil, none},
		"it worked":                   {call, nil, 200, asJSON, `{"jsonrpc":"2.0","id":7,"result":{"content":[]}}`, nil, none},
		"no such method":              {call, nil, 404, asJSON, rpcError(-32601, "Method not found"), nil, none},
		"headers that differ":         {call, nil, 400, asJSON, rpcError(-32020, "Header mismatch: Mcp-Name header value 'a' does not match body value 'b'"), nil, none},
		"another version":             {call, nil, 400, asJSON, `{"jsonrpc":"2.0","id":7,"error":{"code":-32022,"message":"Unsupported protocol version","data":{"supported":["2025-11-25"]}}}`, nil, none},
		"a session that is not known": {call, nil, 404, asJSON, rpcError(-32001, "Session not found"), nil, none},
	} {
		for held, grant := range map[string][]string{"lacks": {"user:read"}, "holds": {"user:read", "notebook:write", "survey:read"}} {
			l := lend(t, answering(t, tt.status, tt.kind, tt.body), &source{current: key("phx_real", grant...)}, func(c *agent.Config) { c.Ask = confirms })
			got := l.send("POST", "mcp", "", tt.request, append(tt.headers, bearer, "Content-Type: application/json")...)
			if got.status != tt.status || got.body != tt.body {
				t.Errorf("%s: the child got %d %q", name, got.status, got.body)
			}
			told := l.verdicts()
			switch missing := tt.missing != nil && held == "lacks"; {
			case held == "holds" && strings.HasSuffix(name, ", challenged"):
				if len(told) != 1 || told[0].Cause != diagnosis.CauseUnknown || told[0].Decides() || !strings.Contains(strings.Join(told[0].Evidence, "\n"), "the grant includes survey:read, which the response names") {
					t.Errorf("%s, and the grant holds it: told %+v", name, told)
				}
			case !missing && len(told) > 0:
				t.Errorf("%s, and the grant %s it: told %s", name, held, told[0].Message)
			case missing && (len(told) != 1 || told[0].Cause != diagnosis.CauseMissingScope || !cmp.Equal(told[0].Missing, tt.missing) || told[0].Confidence != tt.sure):
				t.Errorf("%s: told %+v", name, told)
			case missing && (told[0].Tool != "notebook-edit" || !strings.Contains(fmt.Sprint(told[0].NeededFor[tt.missing[0]]), "tool:notebook-edit")):
				t.Errorf("%s: %q, needed for %q", name, told[0].Tool, told[0].NeededFor)
			}
		}
	}
}

// A page of another origin is refused with 403, whoever asks (DNS rebinding).
func TestOriginIsNoScope(t *testing.T) {
	for _, body := range []string{rpcError(-32000, "Forbidden: Origin not allowed"), "Forbidden: invalid Origin header"} {
		l := lend(t, answering(t, 403, asJSON, body), &source{current: key("phx_real", "user:read")}, func(c *agent.Config) { c.Ask = confirms })
		l.send("POST", "mcp", "", rpc("tools/call", `{"name":"notebook-edit"}`), bearer, "Origin: http://evil.example")
		if told := l.verdicts(); len(told) != 1 || told[0].Cause != diagnosis.CauseNotAScopeProblem && told[0].Cause != diagnosis.CauseUnknown || len(told[0].Missing) > 0 {
			t.Errorf("%s: %+v", body, told)
		}
	}
}

// toolsOf is a page of a list, each tool as long as real ones are.
func toolsOf(next string, names ...string) string {
	var tools []any
	for _, name := range names {
		tools = append(tools, map[string]any{"description": strings.Repeat("what it does. ", 280), "name": name, "inputSchema": map[string]any{"title": "notebook-edit"}})
	}
	result := map[string]any{"tools": append([]any{}, tools...)}
	if next != "" {
		result["nextCursor"] = next
	}
	text, _ := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 7, "result": result})
	return string(text)
}

func many(n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("tool-%d", i))
	}
	return names
}

// twoTools are needs for tools besides.
func twoTools(t *testing.T) []scopes.Need {
	return append(agenttest.Needs(t), scopes.Need{AnyOf: []string{"survey:read"}, UsedBy: []scopes.Operation{{Tool: "survey-stats"}, {Tool: "notebook-edit"}}})
}

// A list of tools is looked at on its way to the child: what is declared and not there is told,
// with the scope that would show it.
func TestListsOfTools(t *testing.T) {
	thousand := many(966)
	list := rpc("tools/list", "{}")
	for name, tt := range map[string]struct {
		held    []string
		request string
		headers []string
		kind    string
		body    string
		missing []string
		sure    diagnosis.Confidence
		note    string
	}{
		"both are hidden":                   {[]string{"user:read"}, list, nil, asJSON, toolsOf("", "a"), []string{"notebook:write", "survey:read"}, diagnosis.ConfidenceProved, ""},
		"one is":                            {[]string{"survey:read"}, list, nil, asJSON, toolsOf("", "a", "survey-stats"), []string{"notebook:write"}, diagnosis.ConfidenceProved, ""},
		"none are there at all":             {nil, list, nil, asJSON, toolsOf(""), []string{"notebook:write", "survey:read"}, diagnosis.ConfidenceProved, ""},
		"a thousand tools":                  {[]string{"survey:read"}, list, nil, asJSON, toolsOf("", append(thousand, "survey-stats")...), []string{"notebook:write"}, diagnosis.ConfidenceProved, ""},
		"as an event":                       {[]string{"survey:read"}, list, nil, asEvents, "event: message\ndata: " + toolsOf("", append(thousand, "survey-stats")...) + "\n\n", []string{"notebook:write"}, diagnosis.ConfidenceProved, ""},
		"packed":                            {[]string{"survey:read"}, list, []string{"Accept-Encoding: gzip"}, asJSON, toolsOf("", append(thousand, "survey-stats")...), []string{"notebook:write"}, diagnosis.ConfidenceProved, ""},
		"asked by a header":                 {[]string{"survey:read"}, "", []string{"Mcp-Method: tools/list"}, asJSON, toolsOf("", "survey-stats"), []string{"notebook:write"}, diagnosis.ConfidenceProved, ""},
		"listed in spite":                   {[]string{"notebook:write"}, list, nil, asJSON, toolsOf("", "notebook-edit"), []string{"survey:read"}, diagnosis.ConfidenceLikely, ""},
		"absent, and nothing lacks":         {[]string{"notebook:write", "survey:read"}, list, nil, asJSON, toolsOf("", "survey-stats"), nil, "", "notebook-edit"},
		"all are there":                     {[]string{"user:read"}, list, nil, asJSON, toolsOf("", "notebook-edit", "survey-stats"), nil, "", ""},
		"a page of several":                 {[]string{"user:read"}, list, nil, asJSON, toolsOf("2", "a"), nil, "", ""},
		"a page whose beginning nobody saw": {[]string{"user:read"}, rpc("tools/list", `{"cursor":"9"}`), nil, asJSON, toolsOf("", "a"), nil, "", ""},
		"no list was asked for":             {[]string{"user:read"}, rpc("x/list", "{}"), nil, asJSON, toolsOf("", "a"), nil, "", ""},
		"an error":                          {[]string{"user:read"}, list, nil, asJSON, rpcError(-32603, "out of order"), nil, "", ""},
		"it is too long":                    {[]string{"user:read"}, list, nil, asJSON, toolsOf("", many(2200)...), nil, "", ""},
	} {
		s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", tt.kind)
			if r.Header.Get("Accept-Encoding") == "gzip" {
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = w.Write(packed(tt.body))
				return
			}
			_, _ = io.WriteString(w, tt.body)
		})
		l := lend(t, s.URL, &source{current: key("phx_real", tt.held...)}, func(c *agent.Config) { c.Needs, c.Ask = twoTools(t), confirms })
		for range 2 {
			want := tt.body
			if tt.headers != nil && tt.headers[0] == "Accept-Encoding: gzip" {
				want = string(packed(want))
			}
			if got := l.send("POST", "mcp", "", tt.request, append(tt.headers, bearer)...); got.body != want {
				t.Errorf("%s: the child got %d bytes of %d", name, len(got.body), len(want))
			}
		}
		told := l.verdicts()
		switch {
		case tt.missing == nil && len(told) > 0:
			t.Errorf("%s: told %s", name, told[0].Message)
		case tt.missing != nil && (len(told) != 1 || told[0].Cause != diagnosis.CauseMissingScope || !cmp.Equal(told[0].Missing, tt.missing) || told[0].Confidence != tt.sure):
			t.Errorf("%s: told %+v", name, told)
		}
		if notes := l.notes(); (tt.note == "") != (len(notes) == 0) || !strings.Contains(strings.Join(notes, " "), tt.note) {
			t.Errorf("%s: noted %q", name, notes)
		}
	}
}

// A list can have pages: what is not on one can be on the next, and two clients may turn them at
// the same time.
func TestPagesOfTools(t *testing.T) {
	pages := map[string]string{"": toolsOf("2", "a", "notebook-edit"), "2": toolsOf("3", "b"), "3": toolsOf("", "c")}
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		var request struct{ Params struct{ Cursor string } }
		_ = json.NewDecoder(r.Body).Decode(&request)
		w.Header().Set("Content-Type", asJSON)
		_, _ = io.WriteString(w, pages[request.Params.Cursor])
	})
	l := lend(t, s.URL, &source{current: key("phx_real", "user:read")}, func(c *agent.Config) { c.Needs, c.Ask = twoTools(t), confirms })
	for _, cursor := range []string{"", "2", "", "3"} { // the third is another client's
		if told := l.verdicts(); len(told) > 0 {
			t.Errorf("told before the page %s: %s", cursor, told[0].Message)
		}
		l.send("POST", "mcp", "", rpc("tools/list", fmt.Sprintf(`{"cursor":%q}`, cursor)), bearer)
	}
	told := l.verdicts()
	if len(told) != 1 || !cmp.Equal(told[0].Missing, []string{"survey:read"}) {
		t.Fatalf("%+v", told)
	}
	if proof := strings.Join(told[0].Evidence, "\n"); !strings.Contains(proof, "list of tools: survey-stats\n") {
		t.Error(proof)
	}
}

// What is known of the grant is asked again before a list is judged.
func TestListsAreJudgedByWhatIsHeldNow(t *testing.T) {
	old := key("phx_real", "user:read")
	for name, tt := range map[string]struct {
		now  []string
		want int
	}{"edited": {[]string{"user:read", "notebook:write"}, 0}, "as before": {[]string{"user:read"}, 1}} {
		l := lend(t, answering(t, 200, asJSON, toolsOf("", "a")), &source{current: old}, func(c *agent.Config) {
			c.Ask = func(context.Context, *credential.Credential) credential.Inquiry {
				return credential.Inquiry{{Server: "us", Standing: credential.StandingKnown, Grant: key("phx_real", tt.now...).Grant}}
			}
		})
		l.send("POST", "mcp", "", rpc("tools/list", "{}"), bearer)
		if told := l.verdicts(); len(told) != tt.want || tt.want == 1 && told[0].Confidence != diagnosis.ConfidenceProved {
			t.Errorf("%s: %+v", name, told)
		}
	}
}
