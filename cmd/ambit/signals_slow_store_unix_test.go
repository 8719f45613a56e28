//go:build unix

package main

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
)

// TestSignalsAtASlowStore sends each signal while the store's program is at keeping what the server has
// just given out, and does not get done: it is revoked then, within the grace. Before a request is sent,
// none is.
func TestSignalsAtASlowStore(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes as long as a store is waited for")
	}
	var wait sync.WaitGroup
	for _, m := range []moment{
		{client: theClient, args: []string{"login", "--browser", visitCommand(t)}, request: "exchange", told: []string{revoked}},
		{client: theClient, args: []string{"login", "--device"}, request: "poll", told: []string{revoked}},
		{client: theClient, loggedIn: true, args: []string{"token", "--min-ttl", "2h"}, request: "renewal", told: []string{"it was revoked"}},
		{client: ownClient, args: []string{"token"}, request: "own", told: []string{"ended by", "interrupted"}},
		{client: theClient, loggedIn: true, args: []string{"token", "--min-ttl", "2h"}, told: []string{"ended by", "interrupted"}, never: []string{"renewal"}}, // before it is sent
	} {
		for _, signal := range ends {
			wait.Go(func() { m.strikeAtASlowStore(t, signal) })
		}
	}
	wait.Wait()
}

func (m moment) strikeAtASlowStore(t *testing.T, signal syscall.Signal) {
	k := newKeeper(t)
	h := k.homeOf(m.client)
	self, err := os.Executable()
	program := filepath.Join(h.dir, "ambit-store-files")
	if err == nil {
		err = os.Symlink(self, program)
	}
	if err != nil {
		t.Error(err)
		return
	}
	asked, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Error(err)
		return
	}
	defer asked.Close()
	var given atomic.Bool
	writing := make(chan struct{}, 100)
	go func() {
		for {
			c, err := asked.Accept()
			if err != nil {
				return
			}
			if !given.Load() {
				c.Close() // it may
				continue
			}
			defer c.Close()
			writing <- struct{}{}
		}
	}()
	h.env = append(h.env, "TOOL_SECRET=s3cret", "AMBIT_TRUST_HOST="+strings.TrimPrefix(k.URL, "http://"),
		"AMBIT_STORE=exec:"+program, storetest.HelperDir+"="+filepath.Join(h.dir, "kept"), "STORE_FILES_AILS=asks", "STORE_FILES_ASKS="+asked.Addr().String())
	if m.loggedIn {
		h.login()
	}
	given.Store(m.request == "") // what is asked before a request is held up, too
	if m.request != "" {
		k.answerAt(m.request, func(w http.ResponseWriter, r *http.Request) {
			given.Store(true)
			k.token(w, r)
		})
	}
	c := h.ambit(m.args...)
	var out strings.Builder
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Error(err)
		return
	}
	<-writing
	begun := time.Now()
	if err := c.Process.Signal(signal); err != nil {
		t.Error(err)
		return
	}
	_ = c.Wait()
	if took := time.Since(begun); took > signals.Grace {
		t.Errorf("%s, %s: it took %s", m.request, signal, took)
	}
	told := slices.ContainsFunc(m.told, func(words string) bool { return strings.Contains(out.String(), words) })
	if code := c.ProcessState.ExitCode(); code != 128+int(signal) || !told {
		t.Errorf("%s, %s: exit code %d\n%s", m.request, signal, code, out.String())
	}
	for _, request := range m.never {
		if n := k.count(request); n != 0 {
			t.Errorf("%s: %d requests: %s", signal, n, request)
		}
	}
	if alive := k.alive(); len(alive) > 0 && m.request != "" {
		t.Errorf("%s, %s: alive at the server: %v\n%s", m.request, signal, alive, out.String())
	}
}
