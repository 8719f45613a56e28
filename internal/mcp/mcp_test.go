package mcp_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ambit-auth/ambit/internal/mcp"
	"github.com/google/go-cmp/cmp"
)

func TestReadRequest(t *testing.T) {
	call := func(params string) string {
		return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":` + params + `}`
	}
	for name, tt := range map[string]struct {
		headers map[string]string
		body    string
		want    mcp.Request
	}{
		"by its body":              {nil, call(`{"name":"a-b","arguments":{"name":"c"}}`), mcp.Request{Method: "tools/call", Tool: "a-b"}},
		"arguments first":          {nil, call(`{"_meta":{"name":"x"},"arguments":{"name":"c"},"name":"a-b"}`), mcp.Request{Method: "tools/call", Tool: "a-b"}},
		"parameters first":         {nil, `{"params":{"name":"a-b"},"method":"tools/call"}`, mcp.Request{Method: "tools/call", Tool: "a-b"}},
		"cut in the arguments":     {nil, call(`{"name":"a-b","arguments":{"text":"xxxx`)[:90], mcp.Request{Method: "tools/call", Tool: "a-b"}},
		"cut before the name":      {nil, call(`{"arguments":{"text":"xxxx`)[:70], mcp.Request{Method: "tools/call"}},
		"by its headers":           {map[string]string{"Mcp-Method": "tools/call", "Mcp-Name": "a-b"}, "", mcp.Request{Method: "tools/call", Tool: "a-b"}},
		"by a header in base64":    {map[string]string{"Mcp-Method": "tools/call", "Mcp-Name": "=?base64?w6TDtsO8?="}, "", mcp.Request{Method: "tools/call", Tool: "äöü"}},
		"not base64 after all":     {map[string]string{"Mcp-Method": "tools/call", "Mcp-Name": "=?base64?-?="}, call(`{"name":"b"}`), mcp.Request{Method: "tools/call", Tool: "b"}},
		"another case is a name":   {map[string]string{"Mcp-Method": "tools/call", "Mcp-Name": "=?BASE64?YQ==?="}, "", mcp.Request{Method: "tools/call", Tool: "=?BASE64?YQ==?="}},
		"a list":                   {nil, `{"method":"tools/list","params":{"cursor":"2"}}`, mcp.Request{Method: "tools/list", Cursor: "2"}},
		"a list by its header":     {map[string]string{"Mcp-Method": "tools/list"}, `{"params":{"cursor":"2"}}`, mcp.Request{Method: "tools/list", Cursor: "2"}},
		"a prompt's name":          {nil, `{"method":"prompts/get","params":{"name":"p","cursor":"2"}}`, mcp.Request{Method: "prompts/get"}},
		"a batch":                  {nil, `[` + call(`{"name":"a"}`) + `]`, mcp.Request{}},
		"anything":                 {nil, "hello", mcp.Request{}},
		"a name of another type":   {nil, call(`{"name":{"a":1}}`), mcp.Request{Method: "tools/call"}},
		"nothing":                  {nil, "", mcp.Request{}},
		"a list, and a tool named": {map[string]string{"Mcp-Method": "tools/list", "Mcp-Name": "x"}, "", mcp.Request{Method: "tools/list"}},
	} {
		h := make(http.Header)
		for field, value := range tt.headers {
			h.Set(field, value)
		}
		if got := mcp.ReadRequest(h, []byte(tt.body)); got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}

func TestReadTools(t *testing.T) {
	list := func(rest string, names ...string) string {
		var tools []string
		for _, name := range names {
			tools = append(tools, fmt.Sprintf(`{"description":"{\"name\":\"no\"} %s","inputSchema":{"name":"no","tools":[{"name":"no"}]},"name":%q}`, strings.Repeat("x", 9000), name))
		}
		return `{"jsonrpc":"2.0","id":1,"result":{"ttlMs":1,"tools":[` + strings.Join(tools, ",") + `]` + rest + `}}`
	}
	event := func(data string) string { return "event: message\r\nid: 7\ndata: " + data + "\n\n" }
	type page struct {
		names []string
		next  string
		whole bool
	}
	both := page{names: []string{"a", "b"}, whole: true}
	for name, tt := range map[string]struct {
		stream bool
		body   string
		want   page
	}{
		"JSON":                     {false, list("", "a", "b"), both},
		"a page":                   {false, list(`,"nextCursor":"2"`, "a"), page{[]string{"a"}, "2", true}},
		"no page after it":         {false, list(`,"nextCursor":null`, "a", "b"), both},
		"none":                     {false, list(""), page{whole: true}},
		"it breaks off":            {false, list("", "a", "b")[:10000], page{names: []string{"a"}}},
		"an error":                 {false, `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"x"}}`, page{}},
		"another result":           {false, `{"result":{"prompts":[{"name":"a"}]}}`, page{}},
		"tools of another form":    {false, `{"result":{"tools":{"name":"a"}}}`, page{}},
		"a name of another type":   {false, `{"result":{"tools":[{"name":7},{"name":"a"},3]}}`, page{[]string{"a"}, "", true}},
		"not JSON":                 {false, "<html>", page{}},
		"an event":                 {true, event(list("", "a", "b")), both},
		"after others":             {true, ": hello\n\n" + event("") + event("ping") + event(`{"method":"notifications/progress"}`) + event(list("", "a", "b")) + event(list("", "z")), both},
		"in several lines":         {true, event(strings.ReplaceAll(list("", "a", "b"), `,"name"`, ",\ndata:\"name\"")), both},
		"a stream that breaks":     {true, event(list("", "a", "b"))[:10000], page{names: []string{"a"}}},
		"a stream without a list":  {true, event("{}") + event("{}"), page{}},
		"no blank line at its end": {true, strings.TrimRight(event(list("", "a", "b")), "\n"), both},
	} {
		for _, slow := range []bool{false, true} {
			in := iotest.DataErrReader(strings.NewReader(tt.body))
			if slow {
				in = iotest.OneByteReader(in)
			}
			var got page
			got.next, got.whole = mcp.ReadTools(in, tt.stream, func(name string) { got.names = append(got.names, name) })
			if !cmp.Equal(got, tt.want, cmp.AllowUnexported(page{})) {
				t.Errorf("%s: %+v, want %+v", name, got, tt.want)
			}
		}
	}
}
