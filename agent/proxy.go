package agent

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Config says what is lent, to whom, and who is told. Provider, Agent, Server and
// Source are needed; every other field may be left empty. The functions in it are
// called by many goroutines, OnVerdict, OnConflict and OnNote by one at a time.
type Config struct {
	Provider *provider.Provider
	Agent    *profile.Profile
	Server   provider.Server // its bases are those that can be reached
	Needs    []scopes.Need
	Source   Source
	// Advertised are the scopes that the server lists, by which a response that names one is
	// understood.
	Advertised scopes.Set

	// Transport sends the requests. It is to refuse hosts that may not get the
	// credential. nil is one of [NewTransport] without such a guard.
	Transport http.RoundTripper
	// Ask asks servers about a refused credential, within the time that ctx leaves
	// (3 s). nil: nobody is asked.
	Ask func(ctx context.Context, refused *credential.Credential) credential.Inquiry
	// StepUp asks a person for what a login lacks, by the verdict on the request that was refused,
	// and returns the credential of the login that holds it ([diagnosis.Verdict.Wanted]); nil where
	// none was made. It may take as long as a person does. It is called by one goroutine at a time,
	// and its context ends with the lending. nil: nobody is there.
	StepUp func(ctx context.Context, v diagnosis.Verdict) (*credential.Credential, error)
	// Rescan looks for conflicts; it is called at refusals, at most once a second.
	Rescan func() []profile.Conflict

	// OnVerdict is told each verdict once, before the child gets the answer that it is
	// about. It must not wait for the child.
	OnVerdict func(diagnosis.Verdict)
	// OnConflict is told once of each kind of credential that came beside the lease and
	// was dropped.
	OnConflict func(profile.Conflict)
	// OnNote is told once each of what is no refusal, and explains what the child does without:
	// a redirect that leads out of what is lent, a tool that is not in a server's list.
	OnNote func(string)

	Log     slog.Handler // nil: nothing is logged
	LogPath string       // for verdicts
	// Run, Unattended and Withheld are for the advice of verdicts, see [diagnosis.Case].
	Run        diagnosis.Invocation
	Unattended bool
	Withheld   map[string]string
	Record     io.Writer // a JSON line for each request that was sent on; nil: none
	Now        func() time.Time
	// After calls f when so much time has passed, unless stop is called first. nil is
	// [time.AfterFunc].
	After func(d time.Duration, f func()) (stop func() bool)
}

// askTimeout bounds all questions to other servers about one refused credential.
const askTimeout = 3 * time.Second

const (
	// headTimeout bounds the reading of a request's header: it comes from this machine.
	headTimeout = 10 * time.Second
	// maxHeader bounds a request's header, in bytes: no server takes as much.
	maxHeader = 128 << 10
	// maxWaiting bounds how many connections wait for a request.
	maxWaiting = 1024
	// idleTimeout is how long a child may leave a connection open without a request.
	idleTimeout = 5 * time.Minute
	// closeTimeout is what answers on their way get when the proxy is closed.
	closeTimeout = 500 * time.Millisecond
)

// A Proxy lends a credential on 127.0.0.1. It hands out a lease in place of it, and
// swaps the two in each request. Its methods may be called by many goroutines at once.
type Proxy struct {
	cfg         Config
	lease       credential.Secret
	secret      string   // first segment of every path: who does not know it cannot even be refused
	fields      []string // in which the lease is swapped
	forms       []leaseForm
	swapped     []string // the same, for people
	routes      map[string]*route
	places      provider.Locator
	needs       *scopes.NeedIndex // of cfg.Needs
	transport   http.RoundTripper
	credentials *credentials
	log         *slog.Logger
	quiet       *log.Logger // for net/http, whose words go into the log
	reporting   sync.Mutex  // held while somebody is told, so that the order is that of the list
	verdicts    verdictLog
	conflicts   scanCache
	noted       map[string]bool // under reporting
	catalogue   catalogue
	inquiries   *credential.Inquiries
	stepUps     *stepUps
	events      *eventQueue
	uploads     buffers
	watched     budget // chunks of what is looked at
	copies      copyBuffers
	listener    net.Listener
	server      *http.Server
	hosts       [2]string
	origins     map[string]*route // by host, where each base has a port of its own; else empty
	requests    atomic.Int64      // that came with the lease
	others      atomic.Int64      // that came with another credential alone
	bare        atomic.Int64      // that came without a credential
	astray      atomic.Int64      // that came to an address of no base
	strayTold   atomic.Bool
	ctx         context.Context // of the lending as a whole
	cancel      context.CancelFunc
}

// A route leads from a path's second segment to a base.
type route struct {
	base    provider.Base
	target  *url.URL
	prefix  string       // of the target's path, escaped, without a final slash
	origin  string       // at which the child reaches it; "" where it is a path of the proxy
	unclear atomic.Int32 // 401s in a row of which nobody knows why
	trouble spell
}

// Start gets the credential, listens on a free port of 127.0.0.1 and lends until ctx
// ends or [Proxy.Close] is called. The error is the source's, or says that the server's
// URLs or the port cannot be used.
func Start(ctx context.Context, cfg Config) (*Proxy, error) {
	p, err := newProxy(cfg)
	if err != nil {
		return nil, err
	}
	p.credentials = &credentials{source: cfg.Source, now: p.cfg.Now, changed: p.changed, failed: p.renewalFailed}
	if err := p.credentials.begin(ctx); err != nil {
		return nil, err
	}
	if p.listener, err = net.Listen("tcp4", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("the proxy cannot listen: %w", err)
	}
	p.hosts = hostsOf(p.listener)
	listeners, err := p.openOrigins()
	if err != nil {
		return nil, err
	}
	p.logStart()
	p.events = newEventQueue(p.writeDown)
	p.serve(ctx, append(listeners, p.listener))
	return p, nil
}

// hostsOf are the ways to write the host of a listener; the first is the one to tell.
func hostsOf(l net.Listener) [2]string {
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	return [2]string{"127.0.0.1:" + port, "localhost:" + port}
}

// openOrigins opens a port for each base, where the agent drops the path of a URL. The lease
// alone is what nobody else knows then.
func (p *Proxy) openOrigins() (opened []net.Listener, err error) {
	if !p.cfg.Agent.Origins {
		return nil, nil
	}
	p.origins = make(map[string]*route)
	for _, r := range p.routes {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			for _, l := range append(opened, p.listener) {
				_ = l.Close() // nobody was told of it
			}
			return nil, fmt.Errorf("the proxy cannot listen: %w", err)
		}
		opened = append(opened, l)
		hosts := hostsOf(l)
		r.origin, p.origins[hosts[0]], p.origins[hosts[1]] = "http://"+hosts[0], r, r
	}
	return opened, nil
}

func newProxy(cfg Config) (*Proxy, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.After == nil {
		cfg.After = func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
	}
	if cfg.Log == nil {
		cfg.Log = slog.DiscardHandler
	}
	p := &Proxy{
		cfg: cfg, lease: credential.NewSecret("ambit-lease-" + rand.Text()), secret: rand.Text(), fields: cfg.Agent.CredentialFields(), swapped: swappedIn(cfg.Agent),
		transport: cfg.Transport, log: slog.New(cfg.Log), quiet: slog.NewLogLogger(cfg.Log, slog.LevelWarn),
		needs: scopes.IndexNeeds(cfg.Needs), places: cfg.Server.Locator(),
	}
	p.forms = leaseForms(cfg.Provider, p.lease)
	p.uploads.limit, p.watched.limit, p.catalogue.room.limit = chunks(maxKept), chunks(maxWatched), maxLists
	p.catalogue.declared = declaredTools(cfg.Needs)
	p.inquiries = credential.NewInquiries(p.inquire, cfg.Now)
	p.stepUps = newStepUps(cfg.StepUp)
	var err error
	if p.transport == nil {
		if p.transport, err = defaultTransport(); err != nil {
			return nil, err
		}
	}
	p.routes, err = routesTo(cfg.Server)
	return p, err
}

func routesTo(server provider.Server) (map[string]*route, error) {
	routes := make(map[string]*route)
	for _, b := range server.Bases {
		target, err := url.Parse(b.URL)
		if err != nil || target.Host == "" {
			return nil, fmt.Errorf("the base %q has no usable URL", b.Name)
		}
		target.User, target.RawQuery, target.Fragment = nil, "", ""
		routes[b.Name] = &route{base: b, target: target, prefix: strings.TrimSuffix(target.EscapedPath(), "/")}
	}
	return routes, nil
}

// to is the URL of what stands below the base, escaped.
func (r *route) to(rest string) *url.URL {
	u := *r.target
	u.Path = r.prefix + rest
	if plain, err := url.PathUnescape(u.Path); err == nil && plain != u.Path {
		u.Path, u.RawPath = plain, u.Path
	}
	return &u
}

func (p *Proxy) serve(ctx context.Context, listeners []net.Listener) {
	p.ctx, p.cancel = context.WithCancel(ctx)
	p.server = &http.Server{
		Handler: p, ReadHeaderTimeout: headTimeout, MaxHeaderBytes: maxHeader, IdleTimeout: idleTimeout, ErrorLog: p.quiet,
		BaseContext: func(net.Listener) context.Context { return p.ctx },
	}
	guard.BoundWaiting(p.server, maxWaiting)
	for _, l := range listeners {
		go func() {
			if err := p.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				p.log.Error("the proxy ended", "error", err)
			}
		}()
	}
	context.AfterFunc(p.ctx, func() { _ = p.server.Close() })
}

// Close ends the lending: answers on their way get a moment, then they are cut. A renewal under
// way has spent a refresh token: it gets [signals.Grace]. When Close returns, log and record are
// written.
func (p *Proxy) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := p.server.Shutdown(ctx)
	p.cancel()
	if errors.Is(err, context.DeadlineExceeded) {
		err = p.server.Close()
	}
	rest(p.stepUps.turn, signals.Grace) // a code may have been sent, and what comes of it is kept
	rest(p.credentials.turn, signals.Grace)
	p.events.flush()
	if c, ok := p.transport.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
	return err
}

// Terms are what the child is to be told.
func (p *Proxy) Terms() profile.Terms {
	t := profile.Terms{Lease: p.lease.Reveal()}
	for _, b := range p.cfg.Server.Bases {
		reached := cmp.Or(p.routes[b.Name].origin, "http://"+p.hosts[0]+"/"+p.secret+"/"+b.Name)
		t.Bases = append(t.Bases, provider.Base{Name: b.Name, URL: reached})
	}
	return t
}

// Requests is how many requests came with the lease so far.
func (p *Proxy) Requests() int { return int(p.requests.Load()) }

// Traffic is how many requests came so far, and with what.
func (p *Proxy) Traffic() diagnosis.Traffic {
	return diagnosis.Traffic{Lent: p.Requests(), Others: int(p.others.Load()), Bare: int(p.bare.Load()), Astray: int(p.astray.Load())}
}

// Verdicts lists what was reported so far: the one that decides a run first, then in order.
func (p *Proxy) Verdicts() []diagnosis.Verdict { return p.verdicts.list() }

// Latest is a verdict that was reported, as it is now: trouble of a server can last, and somebody
// may read of it only later.
func (p *Proxy) Latest(v diagnosis.Verdict) diagnosis.Verdict { return p.verdicts.latest(v) }

// credential is the one that is lent, as it is now.
func (p *Proxy) credential() *credential.Credential { return p.credentials.state.Load().credential }
