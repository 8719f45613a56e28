package testkit

import (
	"context"
	"net"
	"runtime"
	"syscall"
	"testing"
)

// DialAs is a dialer of connections that are another user's.
func DialAs(t testing.TB, user int) func(ctx context.Context, network, address string) (net.Conn, error) {
	t.Helper()
	AsRoot(t)
	type dialed struct {
		conn net.Conn
		err  error
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		done := make(chan dialed)
		go func() {
			runtime.LockOSThread() // for good: the thread ends with the goroutine
			// The thread alone becomes that user, for what it makes.
			_, _, no := syscall.RawSyscall(syscall.SYS_SETRESUID, uintptr(user), uintptr(user), uintptr(user))
			if no != 0 {
				done <- dialed{err: no}
				return
			}
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			done <- dialed{conn, err}
		}()
		got := <-done
		return got.conn, got.err
	}
}
