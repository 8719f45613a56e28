package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/ambit-auth/ambit/internal/ports"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// anyPortTries bounds the search for a port that is free on both loopback addresses.
// A port that the system just gave for the one is hardly ever taken on the other.
const anyPortTries = 10

// A loopback listens for the browser's way back (RFC 8252 §7.3) on 127.0.0.1 and on
// ::1: a browser may take localhost for either, and another program on the other one
// would get the code.
type loopback struct {
	redirect  provider.Redirect
	start     string // path of the start page
	port      int
	listeners []net.Listener
}

// listen takes the first registered port that is free on both addresses; where none
// is registered, any, prefer before others. All taken is [ErrPortsTaken]: a port that nobody
// registered would only be refused by the server, which compares redirect URIs
// exactly (RFC 9700 §2.1).
func listen(ctx context.Context, redirect provider.Redirect, prefer int) (*loopback, error) {
	bind := new(net.ListenConfig).Listen
	if len(redirect.Ports) == 0 && prefer != 0 {
		if l, err := listenOn(ctx, redirect, prefer, bind); err == nil {
			return l, nil
		}
	}
	if len(redirect.Ports) == 0 {
		return listenAnywhere(ctx, redirect, bind)
	}
	for _, port := range redirect.Ports {
		l, err := listenOn(ctx, redirect, port, bind)
		if !errors.Is(err, errPortTaken) {
			return l, err
		}
	}
	return nil, portsTaken(redirect.Ports)
}

func listenAnywhere(ctx context.Context, redirect provider.Redirect, bind binder) (*loopback, error) {
	for range anyPortTries {
		l, err := listenOn(ctx, redirect, 0, bind)
		if !errors.Is(err, errPortTaken) {
			return l, err
		}
	}
	return nil, errors.New("no port is free on both 127.0.0.1 and ::1")
}

// A binder asks the system for a listener, as [net.ListenConfig.Listen] does: a test has
// one for a machine that is not at hand.
type binder func(ctx context.Context, network, address string) (net.Listener, error)

// errPortTaken says that someone else has the port on one of the addresses.
var errPortTaken = errors.New("the port is taken")

// listenOn listens on port, 0 for any, of both addresses. A machine without ::1 is
// in order.
func listenOn(ctx context.Context, redirect provider.Redirect, port int, bind binder) (*loopback, error) {
	l := &loopback{redirect: redirect, port: port}
	for _, at := range []struct{ network, address string }{{"tcp4", "127.0.0.1"}, {"tcp6", "::1"}} {
		listener, err := bind(ctx, at.network, net.JoinHostPort(at.address, strconv.Itoa(l.port)))
		switch {
		case err == nil:
			l.listeners = append(l.listeners, listener)
			l.port = listener.Addr().(*net.TCPAddr).Port
		case ports.Taken(err):
			l.close()
			return nil, errPortTaken
		case at.network == "tcp6" && ports.NoSuchAddress(err):
		default:
			l.close()
			return nil, fmt.Errorf("cannot listen on %s: %w", at.address, err)
		}
	}
	return l, nil
}

func (l *loopback) close() {
	for _, listener := range l.listeners {
		_ = listener.Close()
	}
}

// host is the Host field of a request that was meant for this redirect URI.
func (l *loopback) host() string {
	if l.port == 80 { // a browser leaves out the scheme's own port
		return l.redirect.Host
	}
	return l.redirect.Host + ":" + strconv.Itoa(l.port)
}

// path is that of the browser's request: a redirect URI without one is asked for at the root (RFC 3986 §6.2.3).
func (l *loopback) path() string { return cmp.Or(l.redirect.Path, "/") }

func (l *loopback) startURL() string { return "http://" + l.host() + l.start }

func (l *loopback) redirectURI() string { return l.redirect.URI(l.port) }

// ErrPortsTaken says that someone else listens on every registered redirect port.
var ErrPortsTaken = errors.New("no registered redirect port is free")

// portsTaken names each port and who has it.
func portsTaken(registered []int) error {
	holders := ports.Holders(registered)
	list := make([]string, len(holders))
	for i, holder := range holders {
		list[i] = holder.String()
	}
	return fmt.Errorf("%w: %s", ErrPortsTaken, strings.Join(list, ", "))
}
