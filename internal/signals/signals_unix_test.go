//go:build unix

package signals_test

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ambit-auth/ambit/internal/signals"
)

func send(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		t.Fatal(err)
	}
}

// A closed terminal ends a program as Ctrl-C does: what was spent is kept either way.
func TestOnEnd(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		ended := make(chan struct{})
		signals.OnEnd(t.Context(), func(error) { close(ended) })
		send(t, s)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Errorf("%s ended nothing", s)
		}
	}
}

// What nohup had ignored is no end.
func TestIgnoredStaysIgnored(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	ended := make(chan struct{})
	signals.OnEnd(t.Context(), func(error) { close(ended) })
	send(t, syscall.SIGHUP)
	send(t, syscall.SIGTERM) // comes second
	<-ended
	if !signal.Ignored(syscall.SIGHUP) {
		t.Error("SIGHUP is heeded")
	}
}

// A child may read its settings again on SIGHUP: that is its own, and nobody's end.
func TestLeaveToChild(t *testing.T) {
	relayed, stop := signals.Relay()
	defer stop()
	ended := make(chan os.Signal, 1)
	signals.OnEnd(t.Context(), func(cause error) { ended <- cause.(signals.Ended).Signal }).LeaveToChild()
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1} {
		send(t, s)
		if got := <-relayed; got != s {
			t.Errorf("relayed %s, want %s", got, s)
		}
	}
	select {
	case <-ended:
		t.Error("it ended with what the child got")
	default:
	}
	send(t, syscall.SIGTERM)
	if got := <-relayed; got != syscall.SIGTERM {
		t.Errorf("relayed %s", got)
	}
	if got := <-ended; got != syscall.SIGTERM {
		t.Errorf("ended by %s", got)
	}
}

func TestOutlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		longer, cancel := signals.Outlive(ctx)
		defer cancel()
		end()
		time.Sleep(signals.Grace - time.Millisecond)
		if longer.Err() != nil {
			t.Error("it ended before its time")
		}
		time.Sleep(2 * time.Millisecond)
		if longer.Err() == nil {
			t.Error("it goes on after its time")
		}
	})
}
