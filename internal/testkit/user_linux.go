package testkit

import (
	"context"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
)

// Nobody is the id of a user who is nobody else.
const Nobody = 65534

// AsRoot skips a test that needs other users on a machine where this one is not root; see [Lacks].
func AsRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Lacks(t, "only root can be other users, and own their files")
	}
}

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
