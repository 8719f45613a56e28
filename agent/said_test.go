package agent_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/google/go-cmp/cmp"
)

// A response that says that a scope is missing is read with a status that is no refusal too,
// and passes as it came. One that says nothing of the kind is not told.
func TestScopesWithOtherStatuses(t *testing.T) {
	const event = "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"Missing scope: 'notebook:write'\"}],\"isError\":true}}\n\n"
	for name, tt := range map[string]struct {
		status  int
		kind    string
		body    string
		missing []string
	}{
		"bad request":              {400, "text/plain", "Your app does not have the required scope 'notebook:write'.", []string{"notebook:write"}},
		"not found":                {404, "application/json", `{"required_scopes":["notebook:write"]}`, []string{"notebook:write"}},
		"not ok":                   {200, "application/json", `{"ok":false,"error":"missing_scope","needed":"notebook:write","provided":"user:read"}`, []string{"notebook:write"}},
		"GraphQL":                  {200, "application/json", `{"data":{"a":null},"errors":[{"message":"requires the notebook:write scope"}]}`, []string{"notebook:write"}},
		"a tool's result":          {200, "application/json", `{"jsonrpc":"2.0","id":1,"result":{"isError":true,"content":[],"_meta":{"mcp/www_authenticate":"Bearer error=\"insufficient_scope\", scope=\"user:read notebook:write\""}}}`, []string{"notebook:write"}},
		"an event":                 {200, "text/event-stream", event, []string{"notebook:write"}},
		"an event, then others":    {200, "text/event-stream", "data: {}\n\n" + event + "data: {}\n\n", []string{"notebook:write"}},
		"data that names scopes":   {200, "application/json", `{"data":{"text":"requires the notebook:write scope"},"error":null}`, nil},
		"another error":            {200, "application/json", `{"errors":[{"message":"no field x"}]}`, nil},
		"a request that was wrong": {400, "application/json", `{"detail":"name: this field is required"}`, nil},
		"no such method":           {404, "application/json", `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}`, nil},
		"no such version":          {400, "application/json", `{"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"Unsupported protocol version"}}`, nil},
	} {
		for _, sized := range []bool{true, false} {
			s := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tt.kind)
				if sized {
					w.Header().Set("Content-Length", strconv.Itoa(len(tt.body)))
				}
				w.WriteHeader(tt.status)
				if !sized {
					w.(http.Flusher).Flush()
				}
				_, _ = io.WriteString(w, tt.body)
			})
			l := lend(t, s.URL, &source{current: key("phx_real", "user:read", "query:read")}, func(*agent.Config) {})
			got := l.send("POST", "api", "/api/projects/2/query/", "x", bearer)
			if got.status != tt.status || got.body != tt.body {
				t.Errorf("%s: the child got %d %q", name, got.status, got.body)
			}
			told := l.verdicts()
			switch {
			case tt.missing == nil && len(told) > 0:
				t.Errorf("%s: told %s", name, told[0].Message)
			case tt.missing != nil && (len(told) != 1 || told[0].Cause != diagnosis.CauseMissingScope || told[0].Status != tt.status || !cmp.Equal(told[0].Missing, tt.missing)):
				t.Errorf("%s: told %+v", name, told)
			}
		}
	}
}

// A stream passes as it comes: the child has an event before the next one is written.
func TestStreamsAreNotDelayed(t *testing.T) {
	next := make(chan struct{})
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 3 {
			_, _ = io.WriteString(w, "data: {\"text\":\"an \\\"error\\\" of the \\\"isError\\\" sort\"")
			w.(http.Flusher).Flush()
			select {
			case <-next:
			case <-r.Context().Done():
				return
			}
			_, _ = io.WriteString(w, "}\n\n")
		}
	})
	l := lend(t, s.URL, &source{current: key("phx_real", "user:read")}, nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.url("api")+"/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+l.Terms().Lease)
	resp, err := l.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	in := bufio.NewReader(resp.Body)
	for range 3 {
		if half, err := in.ReadString('t'); err != nil { // of half an event: the other half waits for us
			t.Fatal(half, err)
		}
		next <- struct{}{}
		if rest, err := in.ReadString('\n'); err != nil || !strings.HasSuffix(rest, "}\n") {
			t.Fatal(rest, err)
		}
		_, _ = in.ReadString('\n')
	}
	if told := l.verdicts(); len(told) > 0 {
		t.Errorf("told %+v", told)
	}
}

// An event that is an error is told when it has come, not when the stream ends.
func TestEventsAreReadAsTheyCome(t *testing.T) {
	told := make(chan diagnosis.Verdict, 1)
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: {\"error\":{\"code\":-32001,\"message\":\"insufficient scope\",\"data\":{\"required_scopes\":[\"query:read\"]}}}\n\n")
		w.(http.Flusher).Flush()
		select {
		case v := <-told:
			_, _ = io.WriteString(w, "data: "+strings.Join(v.Missing, " ")+"\n\n")
		case <-r.Context().Done():
		case <-time.After(5 * time.Second):
		}
	})
	l := lend(t, s.URL, &source{current: key("phx_real", "user:read")}, func(cfg *agent.Config) {
		cfg.OnVerdict = func(v diagnosis.Verdict) { told <- v }
	})
	if got := l.send("GET", "api", "/stream", "", bearer); !strings.HasSuffix(got.body, "data: query:read\n\n") {
		t.Errorf("nothing was told before the end: %q", got.body)
	}
}

// A server that wants a scope which the grant had is asked what the credential holds now: a key
// can be edited while it is in use.
func TestScopeThatWasHeld(t *testing.T) {
	s := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"required_scopes":["query:read"]}`)
	})
	for name, tt := range map[string]struct {
		now     []string
		missing []string
		cause   diagnosis.Cause
		sure    diagnosis.Confidence
	}{
		"edited": {[]string{"user:read"}, []string{"query:read"}, diagnosis.CauseMissingScope, diagnosis.ConfidenceProved},
		"as was": {[]string{"user:read", "query:read"}, []string{}, diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown},
	} {
		l := lend(t, s.URL, &source{current: key("phx_real", "user:read", "query:read")}, func(cfg *agent.Config) {
			cfg.Ask = func(context.Context, *credential.Credential) credential.Inquiry {
				return credential.Inquiry{{Server: "us", Standing: credential.StandingKnown, Grant: key("phx_real", tt.now...).Grant}}
			}
		})
		l.send("POST", "api", "/api/projects/2/query/", "x", bearer)
		told := l.verdicts()
		if len(told) == 0 || told[0].Cause != tt.cause || !cmp.Equal(told[0].Missing, tt.missing) || told[0].Confidence != tt.sure {
			t.Errorf("%s: %+v", name, told)
		}
	}
}

// A server that repeats the credential is told of without it, packed or not; the child gets what came.
func TestRepeatedCredential(t *testing.T) {
	const secret = "phx_real_0123456789"
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = io.WriteString(w, `{"message":"The token `+secret+` is not allowed"}`)
	_ = w.Close()
	for body, encoding := range map[string]string{`{"message":"The token ` + secret + ` is not allowed"}`: "", packed.String(): "gzip"} {
		s := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Required-Scopes", secret)
			if encoding != "" {
				w.Header().Set("Content-Encoding", encoding)
			}
			w.WriteHeader(http.StatusBadRequest) // nothing is put in its place
			_, _ = io.WriteString(w, body)
		})
		l := lend(t, s.URL, &source{current: key(secret, "user:read")}, func(*agent.Config) {})
		got := l.send("GET", "api", "/api/x/", "", bearer, "Accept-Encoding: gzip") // else it is unpacked on the way
		if got.body != body || got.header.Get("X-Required-Scopes") != secret {
			t.Errorf("the child got %q, %v", got.body, got.header)
		}
		told := fmt.Sprintf("%+v", l.verdicts())
		if strings.Contains(told, "0123456789") || !strings.Contains(told, "The token phx_*** is not allowed") || !strings.Contains(told, "X-Required-Scopes: phx_***") {
			t.Errorf("%q: told %s", encoding, told)
		}
	}
}
