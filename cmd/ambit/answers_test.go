package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/ambit-auth/ambit/internal/ports"
	"github.com/rogpeppe/go-internal/testscript"
)

// answers is "answers NAME FILE": a server of this machine whose responses stand in a
// file, each on a line of its own: METHOD PATH STATUS BODY, or * in place of both for
// whatever is asked otherwise. Of several lines for one request each serves once, in
// their order, and the last from then on. NAME is set to its URL, which also stands for {self}
// in a body; {redirect_uri}, {state}, {code}, {resource}, {client_id} and {request_uri} stand for those of the request. The body of a 302 is
// where it leads. A body may be followed by header fields: WWW-Authenticate, Retry-After, and any X-NAME.
// PATH@basic:ID:SECRET and PATH@post:ID:SECRET are for a client that authenticates
// itself so, and for no other; PATH@FIELD:VALUE is for a request with that header field, or that
// parameter, before one without it.
func answers(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: answers NAME FILE")
	}
	script := &responses{lines: make(map[string][]string)}
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		request, response, ok := cutResponse(strings.TrimSpace(line))
		if !ok {
			ts.Fatalf("%s: no response: %q", args[1], line)
		}
		script.lines[request] = append(script.lines[request], response)
	}
	s := httptest.NewServer(script)
	ts.Defer(s.Close)
	ours(ts, s)
	ts.Setenv(args[0], s.URL)
}

// ours says that a server of a script is this user's own, as the sandbox does, so that a key may go there.
func ours(ts *testscript.TestScript, s *httptest.Server) {
	silent, err := ports.Announce([]string{s.Listener.Addr().String()})
	ts.Check(err)
	ts.Defer(silent)
}

func cutResponse(line string) (request, response string, ok bool) {
	if rest, all := strings.CutPrefix(line, "* "); all {
		return "*", rest, true
	}
	words := strings.SplitN(line, " ", 3)
	if len(words) < 3 {
		return "", "", false
	}
	return words[0] + " " + words[1], words[2], true
}

// responses are those of a scripted server, by the request.
type responses struct {
	mu    sync.Mutex
	lines map[string][]string
}

func (s *responses) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, body, _ := strings.Cut(s.next(r.Method+" "+r.URL.Path+authenticatedAs(r), r), " ")
	code, err := strconv.Atoi(status)
	if err != nil {
		code, body = http.StatusInternalServerError, fmt.Sprintf("%q is no status", status)
	}
	body = strings.NewReplacer("{self}", "http://"+r.Host, "{redirect_uri}", r.FormValue("redirect_uri"), "{state}", r.FormValue("state"),
		"{code}", r.FormValue("code"), "{resource}", strings.Join(r.Form["resource"], ","), "{client_id}", r.FormValue("client_id"), "{request_uri}", r.FormValue("request_uri")).Replace(body)
	if code == http.StatusFound {
		http.Redirect(w, r, body, code)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if at := lastField.FindStringIndex(body); at != nil {
		for _, field := range strings.Split(lastField.ReplaceAllString(body[at[0]:], "\n$1: "), "\n")[1:] {
			name, value, _ := strings.Cut(field, ": ")
			w.Header().Set(name, value)
		}
		body = body[:at[0]]
	}
	w.WriteHeader(code)
	_, _ = io.WriteString(w, body)
}

// authenticatedAs is how a client with a secret says who it is (RFC 6749 §2.3.1).
func authenticatedAs(r *http.Request) string {
	id, secret, basic := r.BasicAuth()
	switch {
	case basic:
		return "@basic:" + id + ":" + secret
	case r.PostFormValue("client_secret") != "":
		return "@post:" + r.PostFormValue("client_id") + ":" + r.PostFormValue("client_secret")
	}
	return ""
}

// lastField is where a header field begins behind a body.
var lastField = regexp.MustCompile(` (WWW-Authenticate|Retry-After|X-[A-Za-z-]+):(?: |$)`)

func (s *responses) next(request string, r *http.Request) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range s.lines {
		at, which, has := strings.Cut(line, "@")
		name, value, _ := strings.Cut(which, ":")
		if has && at == request && value != "" && (strings.TrimPrefix(r.Header.Get(name), "Bearer ") == value || r.FormValue(name) == value) {
			request = line
			break
		}
	}
	if len(s.lines[request]) == 0 {
		request = "*"
	}
	left := s.lines[request]
	if len(left) == 0 {
		return "404 {}"
	}
	if len(left) > 1 {
		s.lines[request] = left[1:]
	}
	return left[0]
}
