//go:build !windows

package oauth

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/ambit-auth/ambit/scopes/provider"
)

// TestNoIPv6 listens on a machine that has no ::1, or has it and refuses: the first is in
// order, the second is told, and leaves nothing behind.
func TestNoIPv6(t *testing.T) {
	for name, c := range map[string]struct {
		refusal syscall.Errno // of ::1
		fine    bool
	}{
		"switched off":   {syscall.EADDRNOTAVAIL, true},
		"not built in":   {syscall.EAFNOSUPPORT, true},
		"not allowed":    {syscall.EACCES, false},
		"no descriptors": {syscall.EMFILE, false},
	} {
		t.Run(name, func(t *testing.T) {
			var first net.Listener
			bind := func(ctx context.Context, network, address string) (net.Listener, error) {
				if network == "tcp6" {
					return nil, &net.OpError{Op: "listen", Net: network, Err: os.NewSyscallError("bind", c.refusal)}
				}
				var err error
				first, err = new(net.ListenConfig).Listen(ctx, network, address)
				return first, err
			}
			l, err := listenOn(t.Context(), provider.Redirect{Host: "localhost", Path: "/callback"}, 0, bind)
			if c.fine {
				if err != nil || len(l.listeners) != 1 || l.port == 0 {
					t.Fatalf("%+v, %v", l, err)
				}
				l.close()
			} else if !errors.Is(err, c.refusal) {
				t.Errorf("it is told as %v", err)
			}
			if again, err := net.Listen("tcp4", first.Addr().String()); err != nil {
				t.Errorf("the port is still held: %v", err)
			} else {
				again.Close()
			}
		})
	}
}
