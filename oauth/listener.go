package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
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

const (
	// headerTimeout is for a browser on the same machine; it keeps a silent connection
	// from staying.
	headerTimeout = 5 * time.Second
	// maxHeader holds the longest response that is believed in: a code of maxToken, and
	// a browser's own fields.
	maxHeader = 64 << 10
	// maxWaiting bounds how many connections wait for a request, and with maxHeader what they hold.
	maxWaiting = 256
	// pageTimeout bounds the delivery of the last page.
	pageTimeout = 5 * time.Second
	// closeTimeout is for connections that the browser opened in advance and never
	// used, which a graceful end would wait for.
	closeTimeout = 250 * time.Millisecond
)

// A pageServer serves one handler on the loopback listeners.
type pageServer struct {
	server *http.Server
	pages  *callback
	at     *loopback
	wait   sync.WaitGroup
}

func servePages(at *loopback, pages *callback) *pageServer {
	s := &pageServer{at: at, pages: pages}
	s.server = &http.Server{
		Handler:           pages,
		ReadHeaderTimeout: headerTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log.New(io.Discard, "", 0), // it would write to the terminal
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, strangerKey{}, ports.Stranger(conn.RemoteAddr(), conn.LocalAddr()))
		},
	}
	guard.BoundWaiting(s.server, maxWaiting)
	for _, listener := range at.listeners {
		s.wait.Go(func() { _ = s.server.Serve(plainListener{listener, pages.sayHTTPS}) }) // ends with [pageServer.stop]
	}
	return s
}

// end stops it, or leaves that to linger where a browser has got a page that it may want again.
func (s *pageServer) end(linger func(stop func())) {
	if linger == nil || !s.pages.isShown() {
		s.stop()
		return
	}
	linger(s.stop)
}

// stop lets the pages that are under way arrive, and then ends everything.
func (s *pageServer) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil {
		_ = s.server.Close()
	}
	s.at.close()
	s.wait.Wait()
}

// A plainListener notices who begins to speak TLS, and ends that at once: a browser would wait.
type plainListener struct {
	net.Listener
	https func()
}

// Accept implements [net.Listener].
func (l plainListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &plainConn{Conn: conn, https: l.https}, nil
}

type plainConn struct {
	net.Conn
	https func()
	begun bool
}

// tlsHandshake is the first byte of a TLS connection (RFC 8446 §5.1), and of no request.
const tlsHandshake = 22

// Read implements [net.Conn].
func (c *plainConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.begun && n > 0 {
		if c.begun = true; p[0] == tlsHandshake {
			c.https()
			return 0, io.EOF
		}
	}
	return n, err
}
