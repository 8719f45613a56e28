package main

import (
	"bufio"
	"net/http"
	"os/exec"
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

// TestLoginsAtOnce begins several logins while nobody has consented yet: one opens its page and
// registers, the others say that they wait, and take what comes of it, whoever refuses it.
func TestLoginsAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		deny, kill bool
		device     bool   // by a code for another device
		refuse     string // what the token endpoint says of the code
		status     int    // with which it does
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
		"the leader is killed":                          {kill: true, code: 0, pages: 2},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKeeper(t)
			k.refuse(c.deny)
			h := k.home("")
			page, asked, args := "consent", "exchange", []string{"login", "--browser", visitCommand(t)}
			if c.device {
				page, asked, args = "device", "poll", []string{"login", "--device"}
			}
			refuses := c.deny || c.status != 0
			if c.status != 0 {
				k.answerAt(asked, func(w http.ResponseWriter, _ *http.Request) {
					reply(w, c.status, map[string]any{"error": c.refuse})
				})
			}
			consent := k.wait(page)
			begin := func() *loginOf {
				l := &loginOf{Cmd: h.ambit(args...)}
				stderr, err := l.StderrPipe()
				if err == nil {
					err = l.Start()
				}
				if err != nil {
					t.Fatal(err)
				}
				l.story = bufio.NewScanner(stderr)
				return l
			}
			leader := begin()
			<-consent.came
			var others []*loginOf
			for range crowd - 1 {
				others = append(others, begin())
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
			if refuses { // who comes later is asked again
				k.refuse(false)
				k.answerAt(asked, nil)
				h.login()
			}
		})
	}
}
