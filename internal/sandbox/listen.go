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
)

const (
	// headerTimeout ends connections that say nothing; loopback needs far less.
	headerTimeout = 10 * time.Second
	// farewell is how long Close waits for answers on their way before it cuts them.
	farewell = time.Second
)

// A house holds the listeners of a sandbox and knows who is still inside.
type house struct {
	host  string
	ctx   context.Context
	leave context.CancelFunc

	mu      sync.Mutex
	closing bool
	inside  sync.WaitGroup        // handlers
	loops   sync.WaitGroup        // accept loops
	silent  map[net.Conn]struct{} // connections that have sent nothing yet
	doors   []*door
}

type door struct {
	listener net.Listener
	origin   string
	server   *http.Server
}

// newHouse checks the address and opens the first listener.
func newHouse(ctx context.Context, address string) (*house, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", address, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("listen on %q: not a loopback address", address)
	}
	h := &house{host: host, silent: make(map[net.Conn]struct{})}
	h.ctx, h.leave = context.WithCancel(ctx)
	if _, err := h.open(address); err != nil {
		h.leave()
		return nil, err
	}
	return h, nil
}

// open adds a listener; it answers nothing until serve.
func (h *house) open(address string) (*door, error) {
	l, err := (&net.ListenConfig{}).Listen(h.ctx, "tcp", address)
	if err != nil {
		return nil, err // it names the address
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	d := &door{listener: l, origin: "http://" + net.JoinHostPort(h.host, port)}
	h.doors = append(h.doors, d)
	return d, nil
}

// another opens a listener on a free port of the same host.
func (h *house) another() (*door, error) { return h.open(net.JoinHostPort(h.host, "0")) }

func (h *house) serve(d *door, handler http.Handler) {
	d.server = &http.Server{
		Handler:           h.counted(handler),
		ReadHeaderTimeout: headerTimeout,
		BaseContext:       func(net.Listener) context.Context { return h.ctx },
		ConnState:         h.watch,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	h.loops.Go(func() { _ = d.server.Serve(d.listener) }) // ends with ErrServerClosed
}

// watch keeps the connections on which no request has begun: an orderly shutdown
// would wait five seconds for one.
func (h *house) watch(c net.Conn, state http.ConnState) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if state == http.StateNew {
		h.silent[c] = struct{}{}
	} else {
		delete(h.silent, c)
	}
}

// counted counts who is inside, and lets nobody in who comes while the house closes.
func (h *house) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		if h.closing {
			h.mu.Unlock()
			panic(http.ErrAbortHandler)
		}
		h.inside.Add(1)
		h.mu.Unlock()
		defer h.inside.Done()
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

// close sends everyone home and returns when all are gone.
func (h *house) close() error {
	h.mu.Lock()
	h.closing = true
	for c := range h.silent {
		_ = c.Close() // a connection that is going anyway
	}
	h.mu.Unlock()
	h.leave()
	h.inside.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	var all []error
	for _, d := range h.doors {
		all = append(all, d.close(ctx))
	}
	h.loops.Wait()
	return errors.Join(all...)
}

func (d *door) close(ctx context.Context) error {
	if d.server == nil {
		return d.listener.Close()
	}
	if d.server.Shutdown(ctx) == nil {
		return nil
	}
	return d.server.Close()
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
