package agent_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/oauth/credential"
)

// steps is a server that wants a scope for each path below the gateway, "/a:read", and a person who
// agrees to whatever is asked for.
type steps struct {
	mu       sync.Mutex
	never    bool // the server refuses whatever comes
	answer   func(add []string) (*credential.Credential, error)
	asked    [][]string
	arrived  []string
	held     map[string]string // scopes by token
	deciding chan struct{}     // nil: the person answers at once
}

func (s *steps) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	who, want := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), strings.TrimPrefix(r.URL.Path, "/wizard/")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrived = append(s.arrived, who+" "+want+" "+string(body))
	if s.never || !strings.Contains(s.held[who], want) {
		w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="`+want+`"`)
		w.WriteHeader(http.StatusForbidden)
	}
}

func (s *steps) ask(_ context.Context, v diagnosis.Verdict) (*credential.Credential, error) {
	if s.deciding != nil {
		<-s.deciding
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, v.Wanted())
	return s.answer(v.Wanted())
}

// agrees is a person who agrees: each new token holds what the one before held, and what is added.
func (s *steps) agrees(add []string) (*credential.Credential, error) {
	before := "pha_old"
	if n := len(s.asked); n > 1 {
		before = "pha_" + strings.Repeat("n", n-1)
	}
	now := "pha_" + strings.Repeat("n", len(s.asked))
	s.held[now] = s.held[before] + " " + strings.Join(add, " ")
	return token(now, strings.Fields(s.held[now])...), nil
}

func stepping(t *testing.T, change func(*steps)) (*steps, *lending) {
	s := &steps{held: map[string]string{"pha_old": "user:read"}}
	s.answer = s.agrees
	if change != nil {
		change(s)
	}
	origin := upstream(t, s.serve)
	return s, lend(t, origin.URL, &source{current: token("pha_old", "user:read")}, func(c *agent.Config) { c.StepUp = s.ask })
}

// A login that lacks a scope is widened, once somebody agrees, and the request goes out again with
// its body. Nobody hears of a refusal, and the next request has the scope.
func TestStepUp(t *testing.T) {
	s, l := stepping(t, nil)
	for _, path := range []string{"/a:read", "/a:read", "/b:read", "/user:read"} {
		if got := l.send("POST", "gateway", path, "body", bearer); got.status != 200 {
			t.Errorf("%s: %+v", path, got)
		}
	}
	want := []string{"pha_old a:read body", "pha_n a:read body", "pha_n a:read body", "pha_n b:read body", "pha_nn b:read body", "pha_nn user:read body"}
	if diff := cmp.Diff(want, s.arrived); diff != "" {
		t.Error(diff)
	}
	if len(l.verdicts()) != 0 {
		t.Errorf("%+v", l.verdicts())
	}
}

// Many requests are refused at once: one question serves them all.
func TestOneStepUpForAll(t *testing.T) {
	s, l := stepping(t, func(s *steps) { s.deciding = make(chan struct{}) })
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if got := l.send("POST", "gateway", "/a:read", "body", bearer); got.status != 200 {
				t.Errorf("%+v", got)
			}
		})
	}
	close(s.deciding)
	wg.Wait()
	if diff := cmp.Diff([][]string{{"a:read"}}, s.asked); diff != "" {
		t.Error(diff)
	}
}

// Whatever goes wrong with a step-up, the verdict is told, and nobody is asked again and again.
func TestStepUpIsNoLoop(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*steps)
		paths  string
		asked  int
	}{
		"the server refuses whatever is granted": {func(s *steps) { s.never = true }, "/a:read /a:read /b:read /c:read", 1},
		"the person says no":                     {func(s *steps) { s.answer = func([]string) (*credential.Credential, error) { return nil, nil } }, "/a:read /a:read /b:read", 1},
		"the login fails": {func(s *steps) {
			s.answer = func([]string) (*credential.Credential, error) { return nil, errors.New("no") }
		}, "/a:read /b:read", 1},
		"the person leaves it out": {func(s *steps) {
			s.held["pha_less"] = "user:read"
			s.answer = func([]string) (*credential.Credential, error) { return token("pha_less", "user:read"), nil }
		}, "/a:read /a:read /user:read /a:read", 1},
	} {
		t.Run(name, func(t *testing.T) {
			s, l := stepping(t, c.change)
			for path := range strings.FieldsSeq(c.paths) {
				got := l.send("POST", "gateway", path, "body", bearer)
				if refused := got.status != 200; refused == (path == "/user:read") {
					t.Errorf("%s: %+v", path, got)
				}
			}
			if len(s.asked) != c.asked {
				t.Errorf("asked for %v", s.asked)
			}
			if told := l.verdicts(); len(told) == 0 || told[0].Cause != diagnosis.CauseMissingScope || !cmp.Equal(told[0].Missing, []string{"a:read"}) {
				t.Errorf("%+v", told)
			}
		})
	}
}

// A key holds what it holds, and what is no lack of a scope is no question.
func TestNoStepUp(t *testing.T) {
	s := &steps{held: map[string]string{"phx_key": "user:read"}}
	s.answer = s.agrees
	origin := upstream(t, s.serve)
	l := lend(t, origin.URL, &source{current: key("phx_key", "user:read")}, func(c *agent.Config) { c.StepUp = s.ask })
	if got := l.send("POST", "gateway", "/a:read", "body", bearer); got.status == 200 || len(s.asked) != 0 {
		t.Errorf("%+v; asked for %v", got, s.asked)
	}
}
