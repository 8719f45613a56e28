package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// crowd is how many logins are begun at once.
const crowd = 4

// A loginOf is one process that logs in.
type loginOf struct {
	*exec.Cmd
	story *bufio.Scanner
	told  strings.Builder
}

// tells reads the story up to a line that begins so.
func (l *loginOf) tells(begin string) bool {
	for l.story.Scan() {
		l.told.WriteString(l.story.Text() + "\n")
		if strings.HasPrefix(l.story.Text(), begin) {
			return true
		}
	}
	return false
}

func (l *loginOf) end() int {
	l.tells("\x00") // to the end
	_ = l.Wait()
	return l.ProcessState.ExitCode()
}

// begin starts a process, whose story is read.
func (h *keepingHome) begin(args ...string) *loginOf {
	h.t.Helper()
	l := &loginOf{Cmd: h.ambit(args...)}
	stderr, err := l.StderrPipe()
	if err == nil {
		err = l.Start()
	}
	if err != nil {
		h.t.Fatal(err)
	}
	l.story = bufio.NewScanner(stderr)
	return l
}

// TestLoginsAtOnce begins several logins while nobody has consented yet: one opens its page and
// registers, the others say that they wait, and take what comes of it, whoever refuses it.
func TestLoginsAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		deny, kill bool
		device     bool             // by a code for another device
		iss        string           // as which the authorization response names its server
		refuse     string           // what the token endpoint says of the code
		status     int              // with which it does
		answer     http.HandlerFunc // in place of both
		waits      bool             // the server asks to wait
		code       int
		pages      int
		told       string
	}{
		"consent": {code: 0, pages: 1, told: "note: the other process has logged in: its login is used"},
		"denial":  {deny: true, code: 4, pages: 1, told: "access_denied"},
		"the client is not known at the token endpoint": {refuse: "invalid_client", status: 401, code: 4, pages: 1, told: `refused: "invalid_client"`},
		"the code is refused":                           {refuse: "invalid_grant", status: 400, code: 4, pages: 1, told: `refused: "invalid_grant"`},
		"denial at the token endpoint":                  {refuse: "access_denied", status: 403, code: 4, pages: 1, told: `refused: "access_denied"`},
		"the server is in trouble":                      {refuse: "server_error", status: 500, code: 6, pages: 1, told: `refused: "server_error"`},
		"a refusal without a word":                      {status: 400, code: 6, pages: 1, told: "without an error code"},
		"the code for another device is refused":        {device: true, refuse: "invalid_grant", status: 400, code: 4, pages: 1, told: `refused: "invalid_grant"`},
		"denial on another device":                      {device: true, refuse: "access_denied", status: 400, code: 4, pages: 1, told: `refused: "access_denied"`},
		"the token endpoint closes the connection":      {answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, code: 6, pages: 1, told: "the connection was closed"},
		"the token endpoint sends a page":               {answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>soon")) }, code: 6, pages: 1, told: "is not usable: "},
		"the token endpoint sends a redirect": {answer: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://other.invalid/", http.StatusFound)
		}, code: 6, pages: 1, told: "redirect"},
		"the token endpoint is silent": {answer: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, code: 6, pages: 1, told: "no response"},
		"the token is of an unknown type": {answer: func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 200, map[string]any{"access_token": "acc_1", "token_type": "mac"})
		}, code: 6, pages: 1, told: "mac"},
		"there is no token": {answer: func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, map[string]any{"token_type": "Bearer"}) }, code: 6, pages: 1, told: "access_token"},
		"too many requests": {answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "600")
			w.WriteHeader(429)
		}, waits: true, code: 6, pages: 1, told: "429"},
		"the server is busy": {answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "600")
			reply(w, 503, map[string]any{"error": "temporarily_unavailable"})
		}, waits: true, code: 6, pages: 1, told: "temporarily_unavailable"},
		"the response is another server's": {iss: "https://other.invalid", code: 4, pages: 1, told: "the response is from"},
		"the leader is killed":             {kill: true, code: 0, pages: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKeeper(t)
			k.refuse(c.deny)
			h := k.home("")
			page, asked, args := "consent", "exchange", []string{"login", "--browser", visitCommand(t)}
			if c.device {
				page, asked, args = "device", "poll", []string{"login", "--device"}
			}
			k.named(c.iss)
			if c.status != 0 {
				c.answer = func(w http.ResponseWriter, _ *http.Request) { reply(w, c.status, map[string]any{"error": c.refuse}) }
			}
			k.answerAt(asked, c.answer)
			refuses := c.deny || c.iss != "" || c.answer != nil
			consent := k.wait(page)
			leader := h.begin(args...)
			<-consent.came
			var others []*loginOf
			for range crowd - 1 {
				others = append(others, h.begin(args...))
			}
			for _, other := range others {
				if !other.tells("note: a login for this server is under way in another process") {
					t.Error("it does not wait: " + other.told.String())
				}
			}
			if c.kill {
				_ = leader.Process.Kill()
				_ = leader.Wait()
			}
			close(consent.open)
			all := others
			if !c.kill {
				all = append(all, leader)
			}
			followers := 0
			for _, l := range all {
				code := l.end()
				if strings.Contains(l.told.String(), c.told) {
					followers++
				}
				if code != c.code {
					t.Errorf("exit code %d\n%s", code, l.told.String())
				}
			}
			if followers < crowd-1 {
				t.Errorf("%d of them were told", followers)
			}
			// A registration is used again, after a request that asks whether the server still knows it.
			if k.count(page) != c.pages || k.count("registration") != 1 || k.count(asked) > c.pages {
				t.Errorf("%d pages, %d registrations, %d requests for a token", k.count(page), k.count("registration"), k.count(asked))
			}
			if alive := len(k.alive()); !refuses && alive != 1 {
				t.Errorf("%d logins", alive)
			}
			k.refuse(false)
			k.named("")
			k.answerAt(asked, nil)
			switch {
			case c.waits: // who comes later is told so, and opens no page
				if outputs, codes := h.atOnce(1, args...); codes[0] != c.code || !strings.Contains(outputs[0], c.told) || k.count(page) != c.pages {
					t.Errorf("later: exit code %d, %d pages\n%s", codes[0], k.count(page), outputs[0])
				}
			case refuses: // who comes later is asked again
				h.login()
			}
		})
	}
}

// TestLoginsOfTwoPrograms begins logins of two manifests at once, with one client, whose one registered port
// both need: the second waits, and then has a page of its own, since nobody was asked for its scopes.
func TestLoginsOfTwoPrograms(t *testing.T) {
	for name, c := range map[string]struct {
		deny bool
		code int
	}{"consent": {false, 0}, "denial": {true, 4}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKeeper(t)
			k.refuse(c.deny)
			h := k.homeOf("client: {id: {main: tool}, redirect: {host: 127.0.0.1, path: /callback, ports: [" + portFor(t) + "]}}")
			manifest, err := os.ReadFile(filepath.Join(h.dir, "scopes.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			h.write("other.yaml", strings.Replace(string(manifest), "name: tool", "name: other", 1))
			consent := k.wait("consent")
			first := make(chan string, 1)
			go func() {
				outputs, codes := h.atOnce(1, "login", "--browser", visitCommand(t))
				first <- fmt.Sprint(codes[0], " ", outputs[0])
			}()
			<-consent.came
			l := h.begin("login", "-f", filepath.Join(h.dir, "other.yaml"), "--browser", visitCommand(t))
			if !l.tells("note: a login for this server is under way in another process") {
				t.Error("it does not wait: " + l.told.String())
			}
			close(consent.open)
			if text := <-first; !strings.HasPrefix(text, fmt.Sprint(c.code)) {
				t.Errorf("the first: exit code %s", text)
			}
			if code := l.end(); code != c.code || k.count("consent") != 2 {
				t.Errorf("the second: exit code %d, %d pages\n%s", code, k.count("consent"), l.told.String())
			}
		})
	}
}

// portFor is a port that was free a moment ago.
func portFor(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
