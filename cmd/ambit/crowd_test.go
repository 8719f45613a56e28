package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// measured is how often a thing is tried; AMBIT_TEST_KEEPING multiplies it, for a measurement.
func measured(n int) int {
	times, err := strconv.Atoi(os.Getenv("AMBIT_TEST_KEEPING"))
	if err != nil {
		return n
	}
	return n * times
}

// rounds is how often a thing is tried that takes long, and longer under the race detector.
func rounds(n int) int {
	if testing.Short() || raceDetector {
		return 2
	}
	return measured(n)
}

// atOnce runs a command line in that many processes, and returns how each ended.
func (h *keepingHome) atOnce(n int, args ...string) (outputs []string, codes []int) {
	outputs, codes = make([]string, n), make([]int, n)
	commands := make([]*exec.Cmd, n)
	for i := range commands {
		commands[i] = h.ambit(args...)
	}
	var wait sync.WaitGroup
	for i, c := range commands {
		wait.Go(func() {
			out, _ := c.CombinedOutput()
			outputs[i], codes[i] = string(out), c.ProcessState.ExitCode()
		})
	}
	wait.Wait()
	return outputs, codes
}

// TestCrowd has twenty processes renew a login again and again at a server that ends a session
// of which it sees a refresh token twice: each round is one request, and the login lives.
func TestCrowd(t *testing.T) {
	k := newKeeper(t)
	h := k.home("tool")
	h.login()
	rounds := rounds(10)
	for round := range rounds {
		h.edit(map[string]any{"exp": 1577836800})
		outputs, codes := h.atOnce(herd, "token")
		for i, code := range codes {
			if code != 0 || !strings.HasPrefix(outputs[i], "acc_") {
				t.Fatalf("round %d: exit code %d\n%s", round, code, outputs[i])
			}
		}
		if n := k.count("renewal"); n != round+1 || k.reused != 0 || !slices.Equal(h.kept(), k.alive()) {
			t.Fatalf("round %d: %d requests, %d reused; kept %v, alive %v", round, n, k.reused, h.kept(), k.alive())
		}
	}
	t.Logf("%d processes, %d rounds, %d renewals, %d reused", herd, rounds, k.count("renewal"), k.reused)
}

// TestCrowdTurnedAway has many processes renew at a server that says "not now": it is asked once,
// and not again before its time has come.
func TestCrowdTurnedAway(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		k := newKeeper(t)
		h := k.home("tool")
		h.login()
		h.edit(map[string]any{"exp": 1577836800})
		k.answer(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(status)
		})
		for range 2 {
			outputs, codes := h.atOnce(herd, "token")
			for i, code := range codes {
				if code != 6 || !strings.Contains(outputs[i], strconv.Itoa(status)) || !strings.Contains(outputs[i], "asks to wait") {
					t.Errorf("%d: exit code %d\n%s", status, code, outputs[i])
				}
			}
		}
		if n := k.count("renewal"); n > 1 {
			t.Errorf("%d: %d requests", status, n)
		}
		k.answer(nil)
		h.edit(map[string]any{"failed": nil}) // the time has come
		if outputs, codes := h.atOnce(1, "token"); codes[0] != 0 || k.reused != 0 {
			t.Errorf("exit code %d\n%s", codes[0], outputs[0])
		}
	}
}

// TestCrowdAtASilentServer has five processes renew, or get their first token, at a token endpoint that
// never answers: all end when the first has waited long enough, and none asks again.
func TestCrowdAtASilentServer(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes as long as a server is waited for")
	}
	for name, c := range map[string]struct{ client, request, command string }{
		"a login":                        {theClient, "renewal", "token"},
		"a client's own token":           {ownClient, "own", "token"},
		"a client's own, which is asked": {ownClient, "own", "login"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKeeper(t)
			h := k.homeOf(c.client)
			h.env = append(h.env, "TOOL_SECRET=s3cret", "AMBIT_TRUST_HOST="+strings.TrimPrefix(k.URL, "http://"))
			if c.request == "renewal" {
				h.login()
				h.edit(map[string]any{"exp": 1577836800})
			}
			over := make(chan struct{})
			k.answerAt(c.request, func(http.ResponseWriter, *http.Request) { <-over })
			defer close(over)
			begun, first := time.Now(), k.wait(c.request)
			defer close(first.open)
			leader := make(chan string, 1)
			go func() {
				outputs, codes := h.atOnce(1, c.command)
				leader <- fmt.Sprint(codes[0], "\n", outputs[0])
			}()
			<-first.came
			outputs, codes := h.atOnce(4, c.command)
			if text := <-leader; !strings.HasPrefix(text, "6") {
				t.Errorf("exit code %s", text)
			}
			if took := time.Since(begun); took > 12*time.Second {
				t.Errorf("they took %s", took)
			}
			for i, code := range codes {
				if code != 6 {
					t.Errorf("exit code %d\n%s", code, outputs[i])
				}
			}
			if n := k.count(c.request); n != 1 {
				t.Errorf("%d requests", n)
			}
			t.Logf("5 processes ended after %s, %d request", time.Since(begun).Round(time.Second/10), k.count(c.request))
			if c.request == "own" {
				return
			}
			// The response was lost, and what the server did then is not known: the next one to be refused
			// says so.
			k.answer(func(w http.ResponseWriter, _ *http.Request) {
				reply(w, 400, map[string]any{"error": "invalid_grant"})
			})
			outputs, codes = h.atOnce(1, "token")
			if codes[0] != 4 || !strings.Contains(outputs[0], "what came of a renewal at ") {
				t.Errorf("exit code %d\n%s", codes[0], outputs[0])
			}
		})
	}
}
