package agent_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/refusal"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/google/go-cmp/cmp"
)

// seen is what the server saw of a request.
type seen struct {
	Method, URI, Host string
	Header            http.Header
	Body              string
}

// notes is a server that answers well and notes what it saw.
func notes(t testing.TB) (origin string, last func() *seen) {
	t.Helper()
	var at atomic.Pointer[seen]
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		at.Store(&seen{r.Method, r.RequestURI, r.Host, r.Header.Clone(), string(body)})
		w.Header().Set("X-Answer", "yes")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "good")
	})
	return s.URL, func() *seen { return at.Swap(nil) }
}

func TestProxySwapsTheLease(t *testing.T) {
	origin, last := notes(t)
	l := lend(t, origin, &source{current: key("phx_real")}, nil)
	for name, fields := range map[string][]string{
		"bearer": {bearer}, "scheme in another case": {"authorization: bearer LEASE"}, "in the agent's field": {"X-Api-Key: LEASE"},
	} {
		got := l.send("POST", "gateway", "/v1/messages?beta=true&a=%2F;b", "hello", append(fields, "X-Mine: 1", "Connection: X-Hop", "X-Hop: 1", "Accept-Encoding: gzip, deflate, br, zstd", "X-Forwarded-For: 6.6.6.6")...)
		if got.status != http.StatusCreated || got.body != "good" || got.header.Get("X-Answer") != "yes" {
			t.Errorf("%s: %+v", name, got)
		}
		r := last()
		if r == nil {
			t.Fatalf("%s: nothing arrived", name)
		}
		if r.URI != "/wizard/v1/messages?beta=true&a=%2F;b" || "http://"+r.Host != origin || r.Body != "hello" || r.Method != "POST" {
			t.Errorf("%s: %+v", name, r)
		}
		for field, want := range map[string]string{
			"Authorization": "Bearer phx_real", "X-Mine": "1", "Accept-Encoding": "gzip", "X-Api-Key": "", "X-Hop": "", "Connection": "", "X-Forwarded-For": "",
		} {
			if r.Header.Get(field) != want {
				t.Errorf("%s: %s is %q, want %q", name, field, r.Header.Get(field), want)
			}
		}
	}
	if l.Requests() != 3 || len(l.verdicts()) != 0 {
		t.Errorf("%d requests, %v", l.Requests(), l.verdicts())
	}
}

// Below one base another can begin: a request is one of the base on which its URL stands, however
// the child came there.
func TestProxyKnowsTheInnerBase(t *testing.T) {
	uri := make(chan string, 1)
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		uri <- r.RequestURI
		w.WriteHeader(http.StatusForbidden)
	})
	l := lend(t, s.URL, &source{current: key("phx_real", "user:read")}, nil)
	l.send("POST", "api", "/wizard/v1/messages", "x", bearer)
	told := l.verdicts()
	if got := <-uri; got != "/wizard/v1/messages" || len(told) != 1 || told[0].Base != "gateway" || !cmp.Equal(told[0].Missing, []string{"llm_gateway:read"}) {
		t.Errorf("%s: %+v", got, told)
	}
}

func TestProxyDropsWhatComesBeside(t *testing.T) {
	origin, last := notes(t)
	l := lend(t, origin, &source{current: key("phx_real")}, nil)
	for range 3 {
		l.send("POST", "gateway", "/v1/messages", "x", bearer, "X-Api-Key: sk-other", "Authorization: Bearer second")
		r := last()
		if r == nil || !cmp.Equal(r.Header.Values("Authorization"), []string{"Bearer phx_real"}) || r.Header.Get("X-Api-Key") != "" {
			t.Fatalf("%+v", r)
		}
	}
	if len(l.seen) != 1 || !cmp.Equal(l.seen[0].Keys, []string{"Authorization", "X-Api-Key"}) || l.seen[0].Overrides {
		t.Errorf("told %+v", l.seen)
	}
	if len(l.verdicts()) != 0 {
		t.Errorf("%+v", l.verdicts())
	}
	_ = l.Close()
	if strings.Contains(l.log.String(), "sk-other") || !strings.Contains(l.log.String(), "X-Api-Key") {
		t.Error(l.log.String())
	}
}

func TestProxyRefusesOnlyAnotherCredential(t *testing.T) {
	origin, last := notes(t)
	l := lend(t, origin, &source{current: key("phx_real")}, func(c *agent.Config) {
		c.Rescan = func() []profile.Conflict {
			return []profile.Conflict{{Path: "/s.json", Source: profile.SourceUser, Keys: []string{"apiKeyHelper"}, Effect: profile.EffectDropped, Advice: "remove apiKeyHelper there"}}
		}
	})
	for range 2 {
		got := l.send("POST", "gateway", "/v1/messages", "x", "X-Api-Key: sk-other")
		var body struct {
			Error struct{ Type, Message string }
		}
		if err := json.Unmarshal([]byte(got.body), &body); err != nil || got.status != 451 || body.Error.Type != "authentication_error" {
			t.Errorf("%+v, %v", got, err)
		}
		if told := l.verdicts(); len(told) != 1 || body.Error.Message != told[0].Message {
			t.Errorf("%q is not what was told: %+v", body.Error.Message, told)
		}
	}
	v := l.verdicts()[0]
	if v.Cause != diagnosis.CauseCredentialConflict || v.Confidence != diagnosis.ConfidenceProved || v.Status != 0 || len(v.Conflicts) != 1 {
		t.Errorf("%+v", v)
	}
	if r := last(); r != nil || l.Requests() != 0 {
		t.Errorf("it arrived: %+v", r)
	}
}

func TestProxyAnswersWhoHasNothing(t *testing.T) {
	origin, last := notes(t)
	l := lend(t, origin, &source{current: key("phx_real")}, nil)
	if got := l.send("HEAD", "gateway", "", ""); got.status != 200 {
		t.Errorf("HEAD: %+v", got)
	}
	if got := l.send("POST", "gateway", "/v1/messages", "x"); got.status != 451 || !strings.Contains(got.body, "no credential") {
		t.Errorf("POST: %+v", got)
	}
	if got := l.send("POST", "gateway", "/v1/messages", "x", "Authorization: ", "X-Api-Key: "); got.status != 451 {
		t.Errorf("empty fields: %+v", got)
	}
	plain := lend(t, origin, &source{current: key("phx_real")}, func(c *agent.Config) { c.Agent = agenttest.Profile(t, "any-command") })
	if got := plain.send("GET", "api", "/x", ""); got.status != 401 || got.header.Get("WWW-Authenticate") != "" {
		t.Errorf("another agent: %+v", got)
	}
	if r := last(); r != nil || len(l.verdicts()) != 0 || len(plain.verdicts()) != 0 {
		t.Errorf("%+v %+v", r, l.verdicts())
	}
}

// Who does not know the path's first segment, or comes under another name, gets
// nothing and causes nothing.
func TestProxyIsForTheChildAlone(t *testing.T) {
	origin, last := notes(t)
	l := lend(t, origin, &source{current: key("phx_real")}, nil)
	address := strings.Split(l.url("gateway"), "/")[2]
	port := address[strings.LastIndexByte(address, ':'):]
	for name, tt := range map[string]struct {
		url, host string
		want      int
	}{
		"another name":          {l.url("gateway") + "/v1/messages", "evil.example" + port, 421},
		"without the port":      {l.url("gateway") + "/v1/messages", "127.0.0.1", 421},
		"localhost":             {l.url("gateway") + "/v1/messages", "localhost" + port, 201},
		"no secret":             {"http://" + address + "/gateway/v1/messages", address, 404},
		"another base":          {l.url("gateway") + "x/v1/messages", address, 404},
		"out of the base":       {l.url("gateway") + "/v1/../../admin", address, 400},
		"out, escaped":          {l.url("gateway") + "/v1/%2e%2e/admin", address, 400},
		"out, escaped twice":    {l.url("gateway") + "/v1/%252e%252e%252fadmin", address, 400},
		"out, by a backslash":   {l.url("gateway") + `/v1/..%5c..%5cadmin`, address, 400},
		"an escaped slash, in":  {l.url("gateway") + "/v1/a%2Fb", address, 201},
		"dots that mean nobody": {l.url("gateway") + "/v1/a..b/.well-known/...", address, 201},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", tt.url, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = tt.host
		req.Header.Set("Authorization", "Bearer "+l.Terms().Lease)
		if got := l.do(req); got.status != tt.want {
			t.Errorf("%s: %d, want %d", name, got.status, tt.want)
		}
		if arrived := last() != nil; arrived != (tt.want == 201) {
			t.Errorf("%s: arrived %v", name, arrived)
		}
	}
}

// The path arrives as it was written: what a slash in an identifier means is the
// server's business.
func TestProxyKeepsTheEscaping(t *testing.T) {
	origin, last := notes(t)
	l := lend(t, origin, &source{current: key("phx_real")}, nil)
	l.send("GET", "api", "/api/projects/a%2Fb/%C3%A4//x/?q=%20", "", bearer)
	if r := last(); r == nil || r.URI != "/api/projects/a%2Fb/%C3%A4//x/?q=%20" {
		t.Errorf("%+v", r)
	}
}

func packed(text string) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return out.Bytes()
}

func TestGoodAnswersPassUntouched(t *testing.T) {
	body := packed("good")
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("ETag", `"a"`)
		w.Header()["Set-Cookie"] = []string{"a=1", "b=2"}
		_, _ = w.Write(body)
	})
	l := lend(t, s.URL, &source{current: key("phx_real")}, nil)
	got := l.send("GET", "api", "/x", "", bearer, "Accept-Encoding: gzip")
	if got.body != string(body) || got.header.Get("Content-Encoding") != "gzip" || len(got.header["Set-Cookie"]) != 2 || got.header.Get("ETag") != `"a"` {
		t.Errorf("%+v", got)
	}
}

// A missing scope: the agent that repeats a 401 gets a 451 in the gateway's shape, with
// the verdict's first line, and the person is told once.
func TestMissingScopeStopsTheAgent(t *testing.T) {
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("WWW-Authenticate", `Bearer realm="x"`)
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("X-Request-Id", "7")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write(packed(agenttest.Silent))
	})
	l := lend(t, s.URL, &source{current: key("phx_real", "user:read")}, func(c *agent.Config) { c.Ask = confirms })
	const want = `{"type": "error", "error": {"type": "permission_error", "message": "missing scope: llm_gateway:read (every model call of the agent)"}}`
	for range 3 {
		got := l.send("POST", "gateway", "/v1/messages?beta=true", "x", bearer)
		if got.status != 451 || got.body != want || got.header.Get("WWW-Authenticate") != "" || got.header.Get("Content-Encoding") != "" || got.header.Get("X-Request-Id") != "7" {
			t.Errorf("%+v", got)
		}
	}
	told := l.verdicts()
	if len(told) != 1 || told[0].Status != 401 || told[0].Path != "/v1/messages" || told[0].Cause != diagnosis.CauseMissingScope || told[0].Confidence != diagnosis.ConfidenceProved {
		t.Fatalf("%+v", told)
	}
	if !strings.Contains(told[0].Evidence[0], "Authentication required") { // it was packed
		t.Errorf("%q", told[0].Evidence)
	}
	// Another operation's scope is news.
	l.send("POST", "api", "/api/projects/2/query/", "x", bearer)
	if told := l.verdicts(); len(told) != 2 || !cmp.Equal(told[1].Missing, []string{"query:read"}) {
		t.Errorf("%+v", told)
	}
	if list := l.Verdicts(); len(list) != 2 || !list[0].Decides() {
		t.Errorf("%+v", list)
	}
}

// A server may hide what one may not see. Where nothing declared is missing, what is not
// there is just not there.
func TestNotFoundMayBeAMissingScope(t *testing.T) {
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) })
	l := lend(t, s.URL, &source{current: key("phx_real", "user:read")}, nil)
	for _, path := range []string{"/api/users/@me/", "/api/projects/2/query/", "/api/nothing/"} {
		if got := l.send("POST", "api", path, "x", bearer); got.status != 404 || got.body != "404 page not found\n" {
			t.Errorf("%s: %+v", path, got)
		}
	}
	told := l.verdicts()
	if len(told) != 1 || told[0].Cause != diagnosis.CauseMissingScope || told[0].Confidence != diagnosis.ConfidenceLikely || !cmp.Equal(told[0].Missing, []string{"query:read"}) {
		t.Errorf("%+v", told)
	}
}

func TestOtherAgentsGetTheRefusalAsItIs(t *testing.T) {
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, agenttest.Silent+strings.Repeat(" ", 2*refusal.MaxBody))
	})
	l := lend(t, s.URL, &source{current: key("phx_real", "user:read")}, func(c *agent.Config) { c.Agent, c.Ask = agenttest.Profile(t, "any-command"), confirms })
	got := l.send("POST", "gateway", "/v1/messages", "x", bearer)
	if got.status != 401 || got.header.Get("WWW-Authenticate") == "" || len(got.body) != len(agenttest.Silent)+2*refusal.MaxBody {
		t.Errorf("%d %v, %d bytes", got.status, got.header, len(got.body))
	}
	if told := l.verdicts(); len(told) != 1 || told[0].Cause != diagnosis.CauseMissingScope {
		t.Errorf("%+v", told)
	}
}

// Of a refusal that nobody understands one repetition is allowed: it may pass.
func TestUnclearRefusalIsFinalTheSecondTime(t *testing.T) {
	var good atomic.Bool
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if !good.Load() {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, agenttest.Silent)
		}
	})
	l := lend(t, s.URL, &source{current: key("phx_real", "llm_gateway:read")}, nil)
	call := func() int { return l.send("POST", "gateway", "/v1/messages", "x", bearer).status }
	statuses := []int{call(), call(), call()}
	good.Store(true)
	statuses = append(statuses, call())
	good.Store(false)
	statuses = append(statuses, call(), call())
	if diff := cmp.Diff([]int{401, 451, 451, 200, 401, 451}, statuses); diff != "" {
		t.Error(diff)
	}
	if told := l.verdicts(); len(told) != 1 || told[0].Cause != diagnosis.CauseUnknown {
		t.Errorf("%+v", told)
	}
}

// Each event arrives while the server waits with the next until that one was seen.
func TestEventsFlowOneByOne(t *testing.T) {
	next := make(chan struct{})
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 5 {
			_, _ = io.WriteString(w, "data: x\n\n")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-next:
			case <-r.Context().Done():
				return
			}
		}
	})
	l := lend(t, s.URL, &source{current: token("pha_real")}, nil)
	resp := l.open(t.Context(), "POST", strings.NewReader("x"))
	defer resp.Body.Close()
	events := bufio.NewReader(resp.Body)
	for i := range 5 {
		line, err := events.ReadString('\n')
		if line != "data: x\n" || err != nil {
			t.Fatalf("event %d: %q, %v", i, line, err)
		}
		_, _ = events.ReadString('\n')
		next <- struct{}{}
	}
	if rest, err := io.ReadAll(events); len(rest) > 0 || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
}

// open makes a request whose answer is to be read by the test.
func (l *lending) open(ctx context.Context, method string, body io.Reader) *http.Response {
	l.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, l.url("gateway")+"/v1/messages", body)
	if err != nil {
		l.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+l.Terms().Lease)
	resp, err := l.http.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	return resp
}

// The server reads the beginning of an upload whose end is not written yet.
func TestUploadsAreNotHeldBack(t *testing.T) {
	arrived := make(chan string)
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		first := make([]byte, 5)
		_, _ = io.ReadFull(r.Body, first)
		arrived <- string(first)
		rest, _ := io.ReadAll(r.Body)
		arrived <- string(rest)
	})
	for _, lent := range []*credential.Credential{key("phx_real"), token("pha_real")} {
		l := lend(t, s.URL, &source{current: lent}, nil)
		r, w := io.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = io.WriteString(w, "first")
			if got := <-arrived; got != "first" {
				t.Errorf("first %q", got)
			}
			_, _ = io.WriteString(w, "rest")
			_ = w.Close()
			if got := <-arrived; got != "rest" {
				t.Errorf("rest %q", got)
			}
		}()
		_ = l.open(t.Context(), "POST", r).Body.Close()
		<-done
	}
}

func TestCancellationReachesTheServer(t *testing.T) {
	began, gone := make(chan struct{}), make(chan struct{})
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		close(began)
		<-r.Context().Done()
		close(gone)
	})
	l := lend(t, s.URL, &source{current: token("pha_real")}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	resp := l.open(ctx, "POST", strings.NewReader("x"))
	defer resp.Body.Close()
	<-began
	cancel()
	<-gone
}

func TestProxyOverHTTP2(t *testing.T) {
	var proto atomic.Value
	s := newTLS(t, func(w http.ResponseWriter, r *http.Request) {
		proto.Store(r.Proto + " " + r.Header.Get("Authorization"))
		_, _ = io.Copy(w, r.Body)
	})
	l := lend(t, s.URL, &source{current: token("pha_real")}, func(c *agent.Config) { c.Transport = s.Client().Transport })
	if got := l.send("POST", "gateway", "/v1/messages", "echo", bearer); got.status != 200 || got.body != "echo" {
		t.Errorf("%+v", got)
	}
	if got := proto.Load(); got != "HTTP/2.0 Bearer pha_real" {
		t.Errorf("%v", got)
	}
}
