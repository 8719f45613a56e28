package metadata_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/metadata"
)

// patience notes what was waited for, and does not wait.
type patience []time.Duration

func (p *patience) wait(ctx context.Context, d time.Duration) error {
	*p = append(*p, d)
	return ctx.Err()
}

// times answers with each handler in turn, with the last one for ever.
func times(handlers ...http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		handle := handlers[0]
		if len(handlers) > 1 {
			handlers = handlers[1:]
		}
		handle(w, r)
	}
}

func TestRetryAfter(t *testing.T) {
	soon := newClock().now.Add(3 * time.Second).Format(http.TimeFormat)
	past := newClock().now.Add(-time.Hour).Format(http.TimeFormat)
	tests := map[string]struct {
		after  string
		again  bool // the second answer is 429 too
		waited patience
		words  string // of the error; "" for none
	}{
		"short":            {"4", false, patience{4 * time.Second}, ""},
		"at once":          {"0", false, patience{time.Second}, ""},
		"a date":           {soon, false, patience{3 * time.Second}, ""},
		"a past date":      {past, false, patience{time.Second}, ""},
		"only once":        {"1", true, patience{time.Second}, "asks to wait 1s, until 2026-10-01T12:00:01Z"},
		"five is too long": {"5", false, nil, "asks to wait 5s, until 2026-10-01T12:00:05Z"},
		"an hour":          {"3600", false, nil, "asks to wait 1h0m0s, until 2026-10-01T13:00:00Z"},
		"beyond numbers":   {"99999999999999999999999999", false, nil, "asks to wait 720h0m0s"},
		"nothing said":     {"", false, nil, "429 Too Many Requests"},
		"nonsense":         {"soon", false, nil, "429 Too Many Requests"},
		"negative":         {"-1", false, nil, "429 Too Many Requests"},
	}
	for name, test := range tests {
		t.Run(name+", 503", func(t *testing.T) {
			s := newServer(t)
			busy := answers(503, "Retry-After", test.after)
			s.on(oauthPath, times(busy, sends(serverFields(s.URL).json(t))))
			if test.again {
				s.on(oauthPath, busy)
			}
			var waited patience
			c := metadata.Client{Now: newClock().Now, Wait: waited.wait}
			_, err := c.AuthorizationServer(context.Background(), s.URL)
			if diff := cmp.Diff(test.waited, waited); diff != "" || (err == nil) != (test.words == "") {
				t.Error(err, diff)
			}
		})
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			busy := answers(429, "Retry-After", test.after)
			s.on(oauthPath, times(busy, sends(serverFields(s.URL).json(t))))
			if test.again {
				s.on(oauthPath, busy)
			}
			var waited patience
			c := metadata.Client{Now: newClock().Now, Wait: waited.wait}
			_, err := c.AuthorizationServer(context.Background(), s.URL)
			if diff := cmp.Diff(test.waited, waited); diff != "" {
				t.Error(diff)
			}
			if test.words == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, guard.KindRateLimited, test.words)
		})
	}
}

// The real timer, too, ends with the context.
func TestWaitingCanBeCanceled(t *testing.T) {
	s := newServer(t)
	ctx, cancel := context.WithCancel(context.Background())
	s.on(oauthPath, answers(429, "Retry-After", "4"))
	c := metadata.Client{HTTP: &http.Client{Transport: afterwards{cancel}}}
	_, err := c.AuthorizationServer(ctx, s.URL)
	wantError(t, err, guard.KindCanceled)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v is not context.Canceled", err)
	}
}

// afterwards calls done when a response's body is closed, all of it having been read
// that will be.
type afterwards struct{ done func() }

func (a afterwards) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		resp.Body = closeHook{resp.Body, a.done}
	}
	return resp, err
}

type closeHook struct {
	io.ReadCloser
	done func()
}

func (c closeHook) Close() error {
	defer c.done()
	return c.ReadCloser.Close()
}

func TestRequesterSendsTheBodyAgain(t *testing.T) {
	s := newServer(t)
	var bodies []string
	s.on("/", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		bodies = append(bodies, string(body))
		if len(bodies) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, "no")
	})
	var waited patience
	requester := guard.Requester{Wait: waited.wait}
	req, err := http.NewRequest("POST", s.URL+"/", strings.NewReader("a=b"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := requester.Do(req, 100)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Status != http.StatusForbidden || string(answer.Body) != "no" {
		t.Errorf("answer %d %q", answer.Status, answer.Body)
	}
	if diff := cmp.Diff([]string{"a=b", "a=b"}, bodies); diff != "" {
		t.Error(diff)
	}
}

func TestRequesterCannotRepeatAStream(t *testing.T) {
	s := newServer(t)
	s.on("/", answers(429, "Retry-After", "1"))
	var waited patience
	requester := guard.Requester{Wait: waited.wait}
	req, err := http.NewRequest("POST", s.URL+"/", io.NopCloser(strings.NewReader("a=b")))
	if err != nil {
		t.Fatal(err)
	}
	_, err = requester.Do(req, 100)
	wantError(t, err, guard.KindRateLimited)
	if asked := s.requests(); len(asked) != 1 || waited != nil {
		t.Errorf("asked %q, waited %v", asked, waited)
	}
}

// A server may send back what it was sent, in a response that is no HTTP.
func TestMalformedAnswerIsNotShown(t *testing.T) {
	for _, answer := range []string{"%s\r\n\r\n", "HTTP/1.1 200 OK\r\n%s\x7f\r\n\r\n", "HTTP/1.1 %s\r\n\r\n"} {
		s := newServer(t)
		s.on("/", func(w http.ResponseWriter, r *http.Request) {
			conn := hijack(w)
			defer conn.Close()
			fmt.Fprintf(conn, answer, r.Header.Get("Authorization"))
		})
		req, err := http.NewRequest("GET", s.URL+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "secret")
		var requester guard.Requester
		_, err = requester.Do(req, 100)
		wantError(t, err, guard.KindUnreachable, "malformed")
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q shows a secret", err)
		}
	}
}

func TestNoCookies(t *testing.T) {
	s := newServer(t)
	s.on("/", sends(nil, "Set-Cookie", "who=you"))
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	requester := guard.Requester{HTTP: &http.Client{Jar: jar}}
	for range 2 {
		req, err := http.NewRequest("GET", s.URL+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := requester.Do(req, 100); err != nil {
			t.Fatal(err)
		}
		if cookie := s.lastHeader().Get("Cookie"); cookie != "" {
			t.Errorf("cookie %q", cookie)
		}
	}
}

func TestLimit(t *testing.T) {
	s := newServer(t)
	s.on("/", sends([]byte("12345")))
	for limit, ok := range map[int64]bool{5: true, 4: false, 0: false} {
		req, err := http.NewRequest(http.MethodGet, s.URL+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := (&guard.Requester{}).Do(req, limit)
		if ok && (err != nil || string(response.Body) != "12345") {
			t.Errorf("limit %d: %+v, %v", limit, response, err)
		}
		if !ok {
			wantError(t, err, guard.KindInvalid, "larger than")
		}
	}
}

// Every request says who sends it, and which form it takes: JSON, unless another is wanted.
func TestRequestsAreIntroduced(t *testing.T) {
	s := newServer(t)
	s.on("/", sends([]byte("{}")))
	for _, accept := range []string{"", guard.AcceptYAML} {
		req, err := http.NewRequest(http.MethodGet, s.URL+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (&guard.Requester{Accept: accept}).Do(req, 5); err != nil {
			t.Fatal(err)
		}
		want := accept
		if want == "" {
			want = "application/json"
		}
		if got := s.lastHeader(); got.Get("User-Agent") != "ambit" || got.Get("Accept") != want {
			t.Errorf("sent %v, want %s", got, want)
		}
	}
}

func TestRequestErrorKeepsNil(t *testing.T) {
	if err := guard.RequestError(nil, nil); err != nil {
		t.Error(err)
	}
	wantError(t, guard.RequestError(nil, io.EOF), guard.KindUnreachable, "closed")
}
