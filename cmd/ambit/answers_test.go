package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// answers is "answers NAME FILE": a server of this machine whose responses stand in a
// file, each on a line of its own: METHOD PATH STATUS BODY, or * in place of both for
// whatever is asked otherwise. Of several lines for one request each serves once, in
// their order, and the last from then on. NAME is set to its URL, which also stands for {self}
// in a body; {redirect_uri}, {state}, {code}, {resource}, {client_id} and {request_uri} stand for those of the request. The body of a 302 is
// where it leads. A body may be followed by one header field: WWW-Authenticate or Retry-After.
// PATH@basic:ID:SECRET and PATH@post:ID:SECRET are for a client that authenticates
// itself so, and for no other.
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
	ts.Setenv(args[0], s.URL)
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
	status, body, _ := strings.Cut(s.next(r.Method+" "+r.URL.Path+authenticatedAs(r)), " ")
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
	for _, name := range []string{"WWW-Authenticate", "Retry-After"} {
		if before, value, found := strings.Cut(body, " "+name+": "); found {
			body = before
			w.Header().Set(name, value)
		}
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

func (s *responses) next(request string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
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
