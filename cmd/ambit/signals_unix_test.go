//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/gofrs/flock"
)

// ends are the signals that end a program and can be caught.
var ends = []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM}

// sideBySide is how many rounds of which each takes a second are run at a time.
const sideBySide = 20

// A moment is one at which something may be under way.
type moment struct {
	client   string // the provider file's words of it; "": it has to be registered
	loggedIn bool   // before
	replaces bool   // the login that was there lives on at the server where another takes its place
	args     []string
	pending  bool     // the person has not answered
	locked   bool     // another process is renewing
	request  string   // one that the server has got; "" is the wait that is told
	told     []string // in the end: one of these
	never    []string // what is not sent
	slow     bool     // a round takes a second: they are run side by side
	few      bool     // tried less often, where nobody measures
}

const (
	pushes = "client: {id: {main: tool}, require_pushed_authorization_requests: true}"

	revoked  = "note: the token that came is not kept, and was revoked"
	finished = "finished first"
)

// moments are those of a login, an exchange, a renewal and a logout.
var moments = map[string]moment{
	"waiting for a browser":         {client: theClient, args: []string{"login", "--no-browser"}, never: []string{"exchange"}},
	"registration":                  {args: []string{"login", "--browser", "visit"}, request: "registration"},
	"registration, another device":  {args: []string{"login", "--device"}, request: "registration", never: []string{"poll"}, few: true},
	"pushed request":                {client: pushes, args: []string{"login", "--browser", "visit"}, request: "push", few: true},
	"code exchange":                 {client: theClient, args: []string{"login", "--browser", "visit"}, request: "exchange", told: []string{revoked, finished}},
	"keeping":                       {client: theClient, loggedIn: true, replaces: true, locked: true, args: []string{"login", "--browser", "visit"}, told: []string{revoked}, few: true},
	"adding, waiting for a browser": {client: theClient, loggedIn: true, args: []string{"login", "--add", "a:write", "--no-browser"}, few: true},
	"adding, code exchange":         {client: theClient, loggedIn: true, replaces: true, args: []string{"login", "--add", "a:write", "--browser", "visit"}, request: "exchange", told: []string{revoked, finished}, few: true},
	"request of a code":             {client: theClient, args: []string{"login", "--device"}, request: "device", never: []string{"poll"}, few: true},
	"poll":                          {client: theClient, args: []string{"login", "--device"}, request: "poll", told: []string{revoked, finished}, slow: true, few: true},
	"poll before the answer":        {client: theClient, args: []string{"login", "--device"}, pending: true, request: "poll", slow: true, few: true},
	"a client's own token":          {client: ownClient, args: []string{"token"}, request: "own", told: []string{finished}, few: true},
	"renewal":                       {client: theClient, loggedIn: true, args: []string{"token", "--min-ttl", "2h"}, request: "renewal", told: []string{finished}},
	"waiting for another's renewal": {client: theClient, loggedIn: true, locked: true, args: []string{"token", "--min-ttl", "2h"}, never: []string{"renewal"}, slow: true, few: true},
	"logout":                        {client: theClient, loggedIn: true, args: []string{"logout"}, request: "revocation", told: []string{finished}},
}

// rounds is how often each signal comes in this moment: 20 times with AMBIT_TEST_KEEPING=5.
func (m moment) rounds() int {
	if m.few {
		return rounds(4)
	}
	return rounds(20)
}

// TestSignals sends each signal in each moment again and again: what the server has given out is in
// the store or revoked when the program has ended, within the grace; the end tells of it, and the
// exit code is the signal's.
func TestSignals(t *testing.T) {
	for name, m := range moments {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m.args = slices.Clone(m.args)
			if i := slices.Index(m.args, "visit"); i >= 0 {
				m.args[i] = visitCommand(t)
			}
			for _, signal := range ends {
				all := m.rounds()
				for late, left := 0, all; left > 0 && !t.Failed(); {
					batch := make([]bool, 1)
					if m.slow {
						batch = make([]bool, min(left, sideBySide))
					}
					var wait sync.WaitGroup
					for i := range batch {
						wait.Go(func() { batch[i] = m.strike(t, signal, late < 10*all) })
					}
					wait.Wait()
					for _, hit := range batch {
						if hit {
							left--
						} else {
							late++
						}
					}
				}
			}
			if !t.Failed() {
				t.Logf("%d signals, nothing lost", len(ends)*m.rounds())
			}
		})
	}
}

// strike sends a signal in this moment, and looks at what has become of everything. hit is false
// where the program had ended when the system gave it the signal, which may be so.
func (m moment) strike(t *testing.T, signal syscall.Signal, mayBeLate bool) (hit bool) {
	k := newKeeper(t)
	defer k.Close()
	h := k.homeOf(m.client)
	h.env = append(h.env, "TOOL_SECRET=s3cret", "AMBIT_TRUST_HOST="+strings.TrimPrefix(k.URL, "http://"))
	if m.loggedIn {
		h.login()
	}
	before := h.kept()
	if m.pending {
		k.answerAt("poll", func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 400, map[string]any{"error": "authorization_pending"})
		})
	}
	waits := "none: the request comes"
	switch {
	case m.locked:
		waits = "note: another process is renewing this login"
		defer h.lock()()
	case m.request == "":
		waits = "http"
	}
	out, code, took := struck(t, h.ambit(m.args...), signal, k.wait(m.request), waits)
	kept, alive := h.kept(), k.alive()
	if m.replaces && !slices.Equal(kept, before) {
		alive = slices.DeleteFunc(alive, func(token string) bool { return slices.Contains(before, token) })
	}
	if !slices.Equal(kept, alive) || k.reused != 0 {
		t.Errorf("%s: kept %v, alive at the server %v, before %v\n%s", signal, kept, alive, before, out)
	}
	if kept, registered := h.clients(), k.registered(); !slices.Equal(kept, registered) {
		t.Errorf("%s: kept clients %v, registered %v\n%s", signal, kept, registered, out)
	}
	if took > signals.Grace {
		t.Errorf("%s: it took %s\n%s", signal, took, out)
	}
	if mayBeLate && code == 0 {
		return false
	}
	told := len(m.told) == 0 || slices.ContainsFunc(m.told, func(line string) bool { return strings.Contains(out, line) })
	if want := 128 + int(signal); code != want || !told || !strings.Contains(out, "error: "+endedBy(signal)) {
		t.Errorf("%s: exit code %d\n%s", signal, code, out)
	}
	for _, request := range m.never {
		if n := k.count(request); n != 0 {
			t.Errorf("%s: %d requests: %s\n%s", signal, n, request, out)
		}
	}
	return true
}

// lock takes the lease of the stored login, as a process does that renews it.
func (h *keepingHome) lock() (unlock func()) {
	h.t.Helper()
	id := strings.TrimSuffix(filepath.Base(h.records()[0]), ".json")
	var path string
	_ = filepath.WalkDir(h.dir, func(at string, d fs.DirEntry, _ error) error {
		if d.Name() == id+".lock" {
			path = at
		}
		return nil
	})
	lock := flock.New(path)
	if got, err := lock.TryLock(); !got || err != nil {
		h.t.Errorf("no lock at %q: %v", path, err)
	}
	return func() { _ = lock.Close() }
}

func endedBy(signal syscall.Signal) string {
	if signal == syscall.SIGINT {
		return "interrupted"
	}
	return "ended by a signal: " + signal.String()
}

// struck runs a command until the server has got the request at g, or where none comes until
// the command has told a line that begins so, sends the signal, and lets the server answer.
func struck(t *testing.T, c *exec.Cmd, signal syscall.Signal, g *gate, waits string) (out string, code int, took time.Duration) {
	t.Helper()
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin, err := c.StdinPipe() // which does not end
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	told, waiting := make(chan string, 1), make(chan struct{})
	go func() { told <- readStory(stderr, waits, waiting) }()
	select {
	case <-g.came:
	case <-waiting:
	case out := <-told:
		t.Fatalf("it ended before\n%s", out)
	}
	if err := c.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	close(g.open)
	out = <-told
	_ = c.Wait()
	return out, c.ProcessState.ExitCode(), time.Since(begun)
}

// readStory reads what is told to its end; waiting is closed at a line that begins as one does
// after which the program waits: the URL, for whatever the person does there.
func readStory(from io.Reader, waits string, waiting chan<- struct{}) string {
	var story strings.Builder
	told := sync.OnceFunc(func() { close(waiting) })
	for lines := bufio.NewScanner(from); lines.Scan(); {
		fmt.Fprintln(&story, lines.Text())
		if strings.HasPrefix(lines.Text(), waits) {
			told()
		}
	}
	return story.String()
}

// TestSignalsInARun ends the child in the moment in which the proxy renews for it, or logs in anew
// with what a call lacks: the login that comes of that is kept or revoked, though nobody waits for
// the response any more.
func TestSignalsInARun(t *testing.T) {
	for name, c := range map[string]runMoment{
		"renewal": {call: "GET api/x", request: "renewal", refused: true},
		"step-up": {call: "GET api/y", request: "exchange", replaces: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, signal := range ends {
				for left := rounds(5); left > 0; left -= sideBySide {
					var wait sync.WaitGroup
					for range min(left, sideBySide) {
						wait.Go(func() { c.strike(t, signal) })
					}
					wait.Wait()
				}
			}
		})
	}
}

// A runMoment is one in a run at which something may be under way.
type runMoment struct {
	call, request string
	refused       bool // the access token is
	replaces      bool // the login that was there lives on at the server
}

func (m runMoment) strike(t *testing.T, signal syscall.Signal) {
	k := newKeeper(t)
	defer k.Close()
	h := k.home("tool")
	h.login()
	before := h.kept()
	if m.refused {
		k.forget()
	}
	out, code, took := h.struckRun(m.call, signal, k.wait(m.request))
	want := 128 + int(signal)
	if signal == syscall.SIGQUIT {
		want = 2 // it is the child's, which dumps its stacks
	}
	dumped := signal == syscall.SIGQUIT && code == 128+int(syscall.SIGSEGV) // the dump itself went wrong: seen on a busy machine
	if code != want && code != 0 && !dumped {                               // the child may have ended before
		t.Errorf("%s: exit code %d\n%s", signal, code, out)
	}
	kept, alive := h.kept(), k.alive()
	if m.replaces && !slices.Equal(kept, before) {
		alive = slices.DeleteFunc(alive, func(token string) bool { return slices.Contains(before, token) })
	}
	if !slices.Equal(kept, alive) || !m.replaces && slices.Equal(kept, before) || k.reused != 0 {
		t.Errorf("%s: kept %v, alive at the server %v, before %v\n%s", signal, kept, alive, before, out)
	}
	if took > 2*signals.Grace { // that of the child, and that of the request
		t.Errorf("%s: it took %s\n%s", signal, took, out)
	}
}

// struckRun runs a child that makes a call, with someone at the terminal who says yes to whatever is
// asked, and sends the signal when the server has got the request at g. That is answered when the
// proxy waits for its own answers no more.
func (h *keepingHome) struckRun(call string, signal syscall.Signal, g *gate) (out string, code int, took time.Duration) {
	h.t.Helper()
	struck, proxy, answered := make(chan time.Time, 1), make(chan string, 1), 0
	watch := func(text []byte, keyboard io.Writer) {
		if found := proxyURL.FindSubmatch(text); found != nil {
			select {
			case proxy <- string(found[1]):
			default: // it is known
			}
		}
		if asked := bytes.Count(text, []byte("[y/N] ")); asked > answered {
			answered = asked
			_, _ = io.WriteString(keyboard, "y\r")
		}
	}
	started := func(p *os.Process) {
		go func() {
			<-g.came
			busy, err := net.Dial("tcp", <-proxy)
			struck <- time.Now()
			_ = p.Signal(signal)
			if err == nil {
				_, _ = io.Copy(io.Discard, busy) // until the proxy ends it
				_ = busy.Close()
			}
			close(g.open)
		}()
	}
	args := append([]string{"<", "BROWSER=visit"}, slices.DeleteFunc(slices.Clone(h.env), func(v string) bool {
		return strings.HasPrefix(v, "HOME=") || strings.HasPrefix(v, "PATH=")
	})...)
	text, code := startedOnTerminal(h.t, h.dir, started, watch, append(args, "run", "--", "caller", "-k", "proxy", call)...)
	select {
	case begun := <-struck:
		took = time.Since(begun)
	default:
		h.t.Errorf("it ended before\n%s", text)
	}
	return string(text), code, took
}

// proxyURL is where the child's words say that the proxy is.
var proxyURL = regexp.MustCompile(`the proxy is http://([^/\s]+)/`)

// TestSignalsAtASilentServer: a server that does not answer keeps nobody longer than the grace,
// and what may have been lost is told.
func TestSignalsAtASilentServer(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes the grace")
	}
	for name, c := range map[string]struct {
		loggedIn, register bool
		args               []string
		moment             string
		told               string
	}{
		"code exchange": {args: []string{"login", "--browser", "visit"}, moment: "exchange", told: "note: the code was sent, and the server did not say what became of it"},
		"registration":  {register: true, args: []string{"login", "--browser", "visit"}, moment: "registration", told: "note: the client was being registered, and the server did not say what became of it"},
		"renewal":       {loggedIn: true, args: []string{"token", "--min-ttl", "2h"}, moment: "renewal"},
		"logout":        {loggedIn: true, args: []string{"logout"}, moment: "revocation", told: "note: the login was removed here; not revoked: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKeeper(t)
			h := k.home("tool")
			if c.register {
				h = k.home("")
			}
			if c.loggedIn {
				h.login()
			}
			args := slices.Clone(c.args)
			if i := slices.Index(args, "visit"); i >= 0 {
				args[i] = visitCommand(t)
			}
			g := k.wait(c.moment)
			answer := g.open
			g.open = make(chan struct{}) // which struck may close: it is not the server's
			silent := *g
			k.mu.Lock()
			k.hold[c.moment] = &gate{g.came, answer}
			k.mu.Unlock()
			out, code, took := struck(t, h.ambit(args...), syscall.SIGHUP, &silent, "http")
			close(answer)
			if took > signals.Grace+4*time.Second {
				t.Errorf("it took %s", took)
			}
			if code != 129 || !strings.Contains(out, c.told) {
				t.Errorf("exit code %d\n%s", code, out)
			}
		})
	}
}
