package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/ambit-auth/ambit/internal/ports"
)

const (
	// headerTimeout ends connections that say nothing; loopback needs far less.
	headerTimeout = 10 * time.Second
	// shutdownTimeout is how long Close waits for responses on their way before it cuts them.
	shutdownTimeout = time.Second
)

// A listenerGroup owns the listeners of a sandbox and waits for running handlers.
type listenerGroup struct {
	host   string
	ctx    context.Context
	cancel context.CancelFunc

	mu        sync.Mutex
	closing   bool
	handlers  sync.WaitGroup        // those that run
	loops     sync.WaitGroup        // accept loops
	silent    map[net.Conn]struct{} // connections that have sent nothing yet
	listeners []*listener
}

type listener struct {
	socket net.Listener
	origin string
	server *http.Server
	silent func() // ends the word that this is a server of the user's
}

// newListenerGroup checks the address and opens the first listener.
func newListenerGroup(ctx context.Context, address string) (*listenerGroup, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", address, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("listen on %q: not a loopback address", address)
	}
	g := &listenerGroup{host: host, silent: make(map[net.Conn]struct{})}
	g.ctx, g.cancel = context.WithCancel(ctx)
	if _, err := g.open(address); err != nil {
		g.cancel()
		return nil, err
	}
	return g, nil
}

// open adds a listener; it answers nothing until serve.
func (g *listenerGroup) open(address string) (*listener, error) {
	socket, err := (&net.ListenConfig{}).Listen(g.ctx, "tcp", address)
	if err != nil {
		return nil, err // it names the address
	}
	_, port, _ := net.SplitHostPort(socket.Addr().String())
	l := &listener{socket: socket, origin: "http://" + net.JoinHostPort(g.host, port)}
	if l.silent, err = ports.Announce([]string{net.JoinHostPort(g.host, port)}); err != nil {
		l.silent = func() {} // then a person has to say that a key may go there
	}
	g.listeners = append(g.listeners, l)
	return l, nil
}

// another opens a listener on a free port of the same host.
func (g *listenerGroup) another() (*listener, error) { return g.open(net.JoinHostPort(g.host, "0")) }

func (g *listenerGroup) serve(l *listener, handler http.Handler) {
	l.server = &http.Server{
		Handler:           g.counted(handler),
		ReadHeaderTimeout: headerTimeout,
		BaseContext:       func(net.Listener) context.Context { return g.ctx },
		ConnState:         g.watch,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	g.loops.Go(func() { _ = l.server.Serve(l.socket) }) // ends with ErrServerClosed
}

// watch keeps the connections on which no request has begun: an orderly shutdown
// would wait five seconds for one.
func (g *listenerGroup) watch(c net.Conn, state http.ConnState) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if state == http.StateNew {
		g.silent[c] = struct{}{}
	} else {
		delete(g.silent, c)
	}
}

// counted counts the running handlers, and starts none while the group closes.
func (g *listenerGroup) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		if g.closing {
			g.mu.Unlock()
			panic(http.ErrAbortHandler)
		}
		g.handlers.Add(1)
		g.mu.Unlock()
		defer g.handlers.Done()
		defer tellPanic(w)
		next.ServeHTTP(w, r)
	})
}

// tellPanic answers with a fault of the sandbox itself, which would else look like a
// connection that was closed on purpose.
func tellPanic(w http.ResponseWriter) {
	switch p := recover(); p {
	case nil:
	case http.ErrAbortHandler:
		panic(p)
	default:
		http.Error(w, fmt.Sprintf("the sandbox panicked: %v", p), http.StatusInternalServerError)
	}
}

// close cancels the running handlers and returns when all have ended.
func (g *listenerGroup) close() error {
	g.mu.Lock()
	g.closing = true
	for c := range g.silent {
		_ = c.Close() // a connection that is going anyway
	}
	g.mu.Unlock()
	g.cancel()
	g.handlers.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	var all []error
	for _, l := range g.listeners {
		all = append(all, l.close(ctx))
	}
	g.loops.Wait()
	return errors.Join(all...)
}

func (l *listener) close(ctx context.Context) error {
	defer l.silent()
	if l.server == nil {
		return l.socket.Close()
	}
	if l.server.Shutdown(ctx) == nil {
		return nil
	}
	return l.server.Close()
}

// Redirect ports are drawn from below the range that systems hand out by themselves
// (RFC 6335 §6 begins it at 49152, Linux at 32768), so that no outgoing connection
// takes one before the login listens there.
const (
	firstPort = 20_000
	lastPort  = 31_999
	// triesPerPort is a bound; on any usual machine the first try does.
	triesPerPort = 200
)

// freePorts finds ports that nothing listens on, on 127.0.0.1 nor on ::1.
func freePorts(n int) ([]int, error) {
	var ports []int
	taken := map[int]bool{}
	for range n * triesPerPort {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if !taken[port] && free("127.0.0.1", port) && (free("::1", port) || !free("::1", 0)) {
			ports = append(ports, port)
		}
		taken[port] = true
		if len(ports) == n {
			return ports, nil
		}
	}
	return nil, errors.New("no free redirect ports on this machine")
}

func free(host string, port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

func decimal(n int) string { return strconv.Itoa(n) }
