package agent_test

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

// serves lets one credential in, and notes who came with which body.
func serves(t testing.TB, good string) (origin string, calls func() []string) {
	t.Helper()
	var mu sync.Mutex
	var list []string
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		who := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		mu.Lock()
		list = append(list, who+" "+string(body[:min(len(body), 10)]))
		mu.Unlock()
		if who != good {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, agenttest.Silent)
		}
	})
	return s.URL, func() []string { mu.Lock(); defer mu.Unlock(); return append([]string{}, list...) }
}

var everything = []string{"llm_gateway:read", "user:read", "query:read", "notebook:write"}

func TestRenewsUponA401AndRepeats(t *testing.T) {
	origin, calls := serves(t, "pha_new")
	src := &source{current: token("pha_old", everything...), next: []*credential.Credential{token("pha_new", everything...)}}
	l := lend(t, origin, src, nil)
	if got := l.send("POST", "gateway", "/v1/messages", "upload", bearer); got.status != 200 {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff([]string{"pha_old upload", "pha_new upload"}, calls()); diff != "" {
		t.Error(diff)
	}
	if len(l.verdicts()) != 0 || src.renewals() != 1 {
		t.Errorf("%d renewals, %+v", src.renewals(), l.verdicts())
	}
}

// A renewal that does not help is not tried again for the credential that it gave.
func TestRenewsOnlyOnce(t *testing.T) {
	origin, calls := serves(t, "nobody")
	src := &source{current: token("pha_a", everything...), next: []*credential.Credential{token("pha_b", everything...), token("pha_c", everything...)}}
	l := lend(t, origin, src, nil)
	for range 3 {
		l.send("POST", "gateway", "/v1/messages", "x", bearer)
	}
	if diff := cmp.Diff([]string{"pha_a x", "pha_b x", "pha_b x", "pha_b x"}, calls()); diff != "" {
		t.Error(diff)
	}
	if told := l.verdicts(); len(told) != 1 || told[0].Cause != diagnosis.CauseUnknown {
		t.Errorf("%+v", told)
	}
}

// A response of success that the provider's file knows as one to a credential that is not accepted is as good as a
// 401: renewed once, repeated with its upload, and never again for what the renewal gave.
func TestRenewsUponAnErrorOfSuccess(t *testing.T) {
	for good, want := range map[string][]string{
		"pha_b":  {"pha_a x", "pha_b x", "pha_b x", "pha_b x"},
		"nobody": {"pha_a x", "pha_b x", "pha_b x", "pha_b x"},
	} {
		origin, calls := serves(t, good)
		ended := provider.Refusal{Sign: provider.Sign{Statuses: []int{200}, At: provider.Path{{Name: "error"}}, Is: []string{"ended"}}, Means: provider.MeaningRejected}
		src := &source{current: token("pha_a", everything...), next: []*credential.Credential{token("pha_b", everything...), token("pha_c", everything...)}}
		l := lend(t, origin, src, func(c *agent.Config) {
			c.Provider = c.Provider.WithVoice(provider.Voice{Refusals: []provider.Refusal{ended}})
			c.Transport = succeeding{}
		})
		var got answer
		for range 3 {
			got = l.send("POST", "api", "/api/projects/2/query/", "x", bearer)
		}
		if diff := cmp.Diff(want, calls()); diff != "" || src.renewals() != 1 {
			t.Errorf("%s: %d renewals: %s", good, src.renewals(), diff)
		}
		if told := l.verdicts(); got.status != 200 || len(told) > 0 != (good == "nobody") {
			t.Errorf("%s: %+v, told %+v", good, got, told)
		}
	}
}

// succeeding makes of each response one of success, with an error in it where it had another status.
type succeeding struct{}

func (succeeding) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body := `{"data": 1}`
	if response.StatusCode != http.StatusOK {
		body = `{"error": "ended"}`
	}
	_ = response.Body.Close()
	response.StatusCode, response.ContentLength = http.StatusOK, int64(len(body))
	response.Header = http.Header{"Content-Type": {"application/json"}, "Content-Length": {strconv.Itoa(len(body))}}
	response.Body = io.NopCloser(strings.NewReader(body))
	return response, nil
}

func TestNoRenewalWhereAScopeIsMissing(t *testing.T) {
	origin, _ := serves(t, "nobody")
	src := &source{current: token("pha_a", "user:read"), next: []*credential.Credential{token("pha_b", everything...)}}
	l := lend(t, origin, src, nil)
	if got := l.send("POST", "gateway", "/v1/messages", "x", bearer); got.status != 451 || src.renewals() != 0 {
		t.Errorf("%d renewals, %+v", src.renewals(), got)
	}
}

// Many requests are refused at once: one renewal serves them all.
func TestOneRenewalForAll(t *testing.T) {
	origin, _ := serves(t, "pha_new")
	src := &source{current: token("pha_old", everything...), next: []*credential.Credential{token("pha_new", everything...), token("pha_third", everything...)}}
	l := lend(t, origin, src, nil)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if got := l.send("POST", "gateway", "/v1/messages", "x", bearer); got.status != 200 {
				t.Errorf("%+v", got)
			}
		})
	}
	wg.Wait()
	if src.renewals() != 1 {
		t.Errorf("%d renewals", src.renewals())
	}
}

// What a renewal took away is told at once, and the refusal that follows has its name.
func TestScopeLostInARenewalIsTold(t *testing.T) {
	origin, _ := serves(t, "nobody")
	src := &source{current: token("pha_old", everything...), next: []*credential.Credential{token("pha_new", "user:read", "query:read")}}
	l := lend(t, origin, src, nil)
	got := l.send("POST", "gateway", "/v1/messages", "x", bearer)
	if got.status != 451 || !strings.Contains(got.body, "missing scope: llm_gateway:read") {
		t.Errorf("%+v", got)
	}
	told := l.verdicts()
	if len(told) != 1 || told[0].Status != 0 || told[0].Method != "" || !cmp.Equal(told[0].Missing, []string{"llm_gateway:read", "notebook:write"}) || !told[0].Decides() {
		t.Errorf("%+v", told)
	}
}

// An upload that is too large to be kept is not repeated; the agent's own next try has
// the new credential.
func TestLargeUploadIsNotRepeated(t *testing.T) {
	origin, calls := serves(t, "pha_new")
	l := lend(t, origin, &source{current: token("pha_old", everything...), next: []*credential.Credential{token("pha_new", everything...)}}, nil)
	large := strings.Repeat("x", 8<<20+1) // more than is kept
	chunked := func() int {
		resp := l.open(t.Context(), "POST", io.MultiReader(strings.NewReader(large))) // of unknown length
		defer resp.Body.Close()
		return resp.StatusCode
	}
	if first, second := chunked(), chunked(); first != 401 || second != 200 {
		t.Errorf("%d, %d", first, second)
	}
	if got := l.send("POST", "gateway", "/v1/messages", large, bearer); got.status != 200 {
		t.Errorf("%d", got.status)
	}
	if list := calls(); len(list) != 3 || len(l.verdicts()) != 0 {
		t.Errorf("%d calls, %+v", len(list), l.verdicts())
	}
}

// clock is a time that tests move.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time          { return agenttest.Noon().Add(time.Duration(c.at.Load())) }
func (c *clock) forward(d time.Duration) { c.at.Add(int64(d)) }

func until(l *credential.Credential, end time.Time) *credential.Credential {
	g := l.Grant
	g.ExpiresAt = end
	return l.Holding(g)
}

func TestRenewsBeforeTheEnd(t *testing.T) {
	var mu sync.Mutex
	var who []string
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		who = append(who, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	})
	c := &clock{}
	src := &source{current: until(token("pha_a"), agenttest.Noon().Add(time.Hour)), next: []*credential.Credential{until(token("pha_b"), agenttest.Noon().Add(2*time.Hour))}}
	l := lend(t, s.URL, src, func(cfg *agent.Config) { cfg.Now = c.now })
	for _, step := range []time.Duration{0, 58 * time.Minute, 90 * time.Second, time.Minute} {
		c.forward(step)
		l.send("GET", "api", "/x", "", bearer)
	}
	if diff := cmp.Diff([]string{"pha_a", "pha_a", "pha_b", "pha_b"}, who); diff != "" {
		t.Error(diff)
	}
}

// A source that fails is not asked at every request, and the credential is used as long
// as it lives, whether or not the source gives it once more.
func TestRenewalThatFails(t *testing.T) {
	for _, beside := range []bool{false, true} {
		testRenewalThatFails(t, beside)
	}
}

func testRenewalThatFails(t *testing.T, beside bool) {
	origin, _ := serves(t, "pha_a")
	c := &clock{}
	src := &failing{lent: until(token("pha_a", everything...), agenttest.Noon().Add(time.Minute)), beside: beside}
	l := lend(t, origin, src, func(cfg *agent.Config) { cfg.Now = c.now })
	c.forward(50 * time.Second)
	for range 5 {
		c.forward(1900 * time.Millisecond)
		if got := l.send("POST", "gateway", "/v1/messages", "x", bearer); got.status != 200 {
			t.Errorf("%+v", got)
		}
	}
	if n := src.asked.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
	_ = l.Close()
	if !strings.Contains(l.log.String(), "not renewed") {
		t.Error(l.log.String())
	}
}

type failing struct {
	lent   *credential.Credential
	beside bool // it is given beside the error
	asked  atomic.Int64
}

func (f *failing) Current(context.Context) (*credential.Credential, error) {
	if f.asked.Add(1) == 1 {
		return f.lent, nil
	}
	if f.beside {
		return f.lent, io.ErrUnexpectedEOF
	}
	return nil, io.ErrUnexpectedEOF
}

func (f *failing) Renew(context.Context, *credential.Credential) (*credential.Credential, error) {
	return nil, io.ErrUnexpectedEOF
}

// Of a key that nobody can ask about, nobody knows what it lacks: a refusal that does not say is
// not blamed on a scope, and what is not found is not called refused. The client says the same.
func TestKeyThatNobodyKnows(t *testing.T) {
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(map[bool]int{true: 404, false: 403}[r.Method == http.MethodGet])
		_, _ = io.WriteString(w, "{}")
	})
	unknown := key("phx_real")
	unknown.KnownBy = ""
	l := lend(t, s.URL, &source{current: unknown}, func(c *agent.Config) {
		c.Ask = func(context.Context, *credential.Credential) credential.Inquiry {
			return agenttest.Inquiry("us not_asked")
		}
	})
	if got := l.send("GET", "api", "/api/users/@me/", "", bearer); got.status != 404 || len(l.verdicts()) != 0 {
		t.Errorf("not found: %d, %+v", got.status, l.verdicts())
	}
	l.send("POST", "gateway", "/v1/messages", "x", bearer)
	told := l.verdicts()
	if len(told) != 1 || told[0].Cause != diagnosis.CauseUnknown || told[0].Decides() ||
		!strings.Contains(strings.Join(told[0].Possible, "\n"), "llm_gateway:read is missing; no server said what the credential holds") {
		t.Errorf("%+v", told)
	}
}

// What its own server says that a key holds is asked where nobody said it, and tells.
func TestAsksWhatAKeyHolds(t *testing.T) {
	s := upstream(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	unknown := key("phx_real")
	unknown.KnownBy = ""
	l := lend(t, s.URL, &source{current: unknown}, func(c *agent.Config) {
		c.Ask = func(context.Context, *credential.Credential) credential.Inquiry {
			return credential.Inquiry{{Server: "us", Standing: credential.StandingKnown, Grant: agenttest.Grant("personal_api_key", scopes.SelfInspection, "user:read")}}
		}
	})
	l.send("GET", "api", "/api/users/@me/", "", bearer)
	l.send("POST", "gateway", "/v1/messages", "x", bearer)
	if told := l.verdicts(); len(told) != 1 || !cmp.Equal(told[0].Missing, []string{"llm_gateway:read"}) {
		t.Errorf("%+v", told)
	}
}

// Servers are asked once for a credential, and what its own one says it holds counts.
func TestAsksServers(t *testing.T) {
	origin, _ := serves(t, "nobody")
	shrunk := agenttest.Grant("personal_api_key", scopes.SelfInspection, "user:read", "query:read")
	for name, tt := range map[string]struct {
		inquiry credential.Inquiry
		want    diagnosis.Cause
		told    int
	}{
		"shrunk":       {credential.Inquiry{{Server: "us", Standing: credential.StandingKnown, Grant: shrunk}}, diagnosis.CauseMissingScope, 2},
		"other server": {agenttest.Inquiry("us not_known", "eu known"), diagnosis.CauseWrongServer, 1},
	} {
		var asked atomic.Int64
		l := lend(t, origin, &source{current: key("phx_real", everything...)}, func(c *agent.Config) {
			c.Ask = func(ctx context.Context, lent *credential.Credential) credential.Inquiry {
				asked.Add(1)
				if _, ends := ctx.Deadline(); !ends || lent.Access.Reveal() != "phx_real" {
					t.Error("asked for ever, or about another")
				}
				return tt.inquiry
			}
		})
		for range 3 {
			if got := l.send("POST", "gateway", "/v1/messages", "x", bearer); got.status != 451 {
				t.Errorf("%s: %+v", name, got)
			}
		}
		told := l.verdicts()
		if len(told) != tt.told || told[0].Cause != tt.want || told[0].Confidence != diagnosis.ConfidenceProved || told[0].Path != "/v1/messages" || asked.Load() != 1 {
			t.Errorf("%s: asked %d times, told %+v", name, asked.Load(), told)
		}
		if tt.told == 2 && (!cmp.Equal(told[1].Missing, []string{"llm_gateway:read", "notebook:write"}) || told[1].Decides()) {
			t.Errorf("what else was lost is to be told beside it: %+v", told[1])
		}
	}
}

// A slow source renews when it is told to.
type slowSource struct {
	*source
	asked, answer chan struct{}
}

func (s *slowSource) Renew(ctx context.Context, stale *credential.Credential) (*credential.Credential, error) {
	close(s.asked)
	<-s.answer
	return s.source.Renew(ctx, stale)
}

// A child that ends while the proxy renews for it takes nothing along: what the renewal spent is
// kept before the lending ends.
func TestCloseWaitsForARenewal(t *testing.T) {
	origin, _ := serves(t, "pha_new")
	src := &slowSource{
		&source{current: token("pha_old", everything...), next: []*credential.Credential{token("pha_new", everything...)}},
		make(chan struct{}), make(chan struct{}),
	}
	l := lend(t, origin, src, nil)
	request, err := http.NewRequest(http.MethodPost, l.Terms().Bases[0].URL+"/v1/messages", strings.NewReader("upload"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+l.Terms().Lease)
	go func() { // the child, whose request is cut
		if response, err := http.DefaultClient.Do(request); err == nil {
			response.Body.Close()
		}
	}()
	<-src.asked
	closed := make(chan struct{})
	go func() { defer close(closed); _ = l.Close() }()
	select {
	case <-closed:
		t.Error("it was closed in the middle of a renewal")
	case <-time.After(time.Second): // longer than an answer on its way gets
	}
	close(src.answer)
	<-closed
	if src.renewals() != 1 {
		t.Errorf("%d renewals", src.renewals())
	}
}

// A refusal for a reason of its own upon which it comes out that the grant has shrunk is told by its
// name, with the server's words. What the grant lost is told beside it, and does not end the run.
func TestShrunkBesideAnotherReason(t *testing.T) {
	s := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"detail": "The moon is in the wrong phase."}`)
	})
	l := lend(t, s.URL, &source{current: key("phx_real", everything...)}, func(c *agent.Config) {
		c.Ask = func(context.Context, *credential.Credential) credential.Inquiry {
			return credential.Inquiry{{Server: "us", Standing: credential.StandingKnown, Grant: agenttest.Grant("personal_api_key", scopes.SelfInspection, "user:read")}}
		}
	})
	l.send("GET", "api", "/api/users/@me/", "", bearer)
	told := l.verdicts()
	if len(told) != 2 || told[0].Status != 403 || told[0].Method != "GET" || told[0].Base != "api" || told[0].Path != "/api/users/@me/" ||
		told[0].Said != "The moon is in the wrong phase." || len(told[0].Missing) > 0 {
		t.Fatalf("%+v", told)
	}
	if lost := told[1]; lost.Method != "" || lost.Cause != diagnosis.CauseMissingScope || !lost.LacksRequired() || lost.Decides() {
		t.Errorf("%+v", lost)
	}
}
