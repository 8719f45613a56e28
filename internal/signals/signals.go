package signals

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// Grace is what remains after the end was announced, for a request that has spent a code or
// a refresh token, whose result may not be lost, and for a child that saves its work.
const Grace = 5 * time.Second

// A Watch waits for the signals that end a program. Safe for concurrent use.
type Watch struct{ came chan os.Signal }

// An Ended is the cause of a context that a signal ended. It is a [context.Canceled].
type Ended struct {
	Signal os.Signal
	At     time.Time // when it came; zero where that is not known
}

// Error is that of a canceled context.
func (e Ended) Error() string { return context.Canceled.Error() }

// Unwrap returns [context.Canceled].
func (e Ended) Unwrap() error { return context.Canceled }

// ExitCode is what shells report of a program that the signal ended: 130 for Ctrl-C.
func (e Ended) ExitCode() int {
	const signaled = 128
	if number, ok := e.Signal.(syscall.Signal); ok {
		return signaled + int(number)
	}
	return signaled + int(syscall.SIGTERM)
}

// EndOf is the signal that ended ctx; ok is false where none did.
func EndOf(ctx context.Context) (end Ended, ok bool) {
	return errors.AsType[Ended](context.Cause(ctx))
}

// OnEnd calls end, with an [Ended], at the first signal that ends a program: Ctrl-C, a polite end, and where
// the system has them a closed terminal and Ctrl-\. Nobody watches after that: a second one
// ends the process at once. The watch ends with ctx. One that the program was started to
// ignore, as by nohup, stays ignored.
func OnEnd(ctx context.Context, end context.CancelCauseFunc) *Watch {
	w := &Watch{came: make(chan os.Signal, 1)}
	signal.Notify(w.came, heeded(slices.Concat(always, unlessChild))...)
	go func() {
		select {
		case s := <-w.came:
			signal.Stop(w.came)
			end(Ended{Signal: s, At: time.Now()})
		case <-ctx.Done():
		}
	}()
	return w
}

// LeaveToChild watches no longer for the signals that mean something of their own to a child,
// such as to read its settings again: what is relayed to it ends it, or not.
func (w *Watch) LeaveToChild() {
	signal.Stop(w.came)
	signal.Notify(w.came, always...)
}

// Relay gives every signal that a child should have in our place, until stop is called. It is
// for one child; the channel is closed then.
func Relay() (came <-chan os.Signal, stop func()) {
	relayed := make(chan os.Signal, 8)
	signal.Notify(relayed, slices.Concat(always, unlessChild, forChild)...)
	return relayed, func() {
		signal.Stop(relayed)
		close(relayed)
	}
}

func heeded(signals []os.Signal) []os.Signal {
	return slices.DeleteFunc(signals, signal.Ignored)
}

// Outlive is ctx with its end put off by [Grace]. All that outlives one signal shares its grace:
// what comes second has what the first has left.
func Outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	return outlive(ctx, func(left time.Duration) time.Duration { return left })
}

// forSecond is what the first of two things leaves of the grace.
const forSecond = 3 * time.Second / 2

// OutliveFirst is Outlive for the first of two things that are owed, such as to keep a token: it leaves
// time for the second, which is to revoke what could not be kept.
func OutliveFirst(ctx context.Context) (context.Context, context.CancelFunc) {
	return outlive(ctx, func(left time.Duration) time.Duration { return max(left-forSecond, left/2) })
}

func outlive(ctx context.Context, of func(left time.Duration) time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(of(left(ctx)), func() { cancel(context.Cause(ctx)) })
		context.AfterFunc(longer, func() { timer.Stop() })
	})
	return longer, func() { stop(); cancel(nil) }
}

// left is what remains of the grace of a context that has ended.
func left(ctx context.Context) time.Duration {
	if end, ok := EndOf(ctx); ok && !end.At.IsZero() {
		return Grace - time.Since(end.At)
	}
	return Grace
}

// goesOnWithin is how long a stop may take to come to pass, or not to: a program of which no shell
// takes care is not stopped.
const goesOnWithin = 100 * time.Millisecond

// Suspend stops this program and those that it shares the terminal with, as Ctrl-Z does, and returns
// when it goes on.
func Suspend() {
	goOn := make(chan os.Signal, 1)
	notify(goOn, goesOn)
	defer signal.Stop(goOn)
	stopGroup()
	select {
	case <-goOn:
	case <-time.After(goesOnWithin):
	}
}

// OnContinue calls after whenever this program goes on, whatever stopped it, until end is called.
func OnContinue(after func()) (end func()) {
	goOn, ended, done := make(chan os.Signal, 1), make(chan struct{}), make(chan struct{})
	notify(goOn, goesOn)
	go func() {
		defer close(done)
		for {
			select {
			case <-goOn:
				after()
			case <-ended:
				return
			}
		}
	}()
	return func() {
		signal.Stop(goOn)
		close(ended)
		<-done
	}
}

// notify is [signal.Notify] for the signals of this system: no signal is not all of them.
func notify(came chan<- os.Signal, of []os.Signal) {
	if of = heeded(slices.Clone(of)); len(of) > 0 {
		signal.Notify(came, of...)
	}
}
