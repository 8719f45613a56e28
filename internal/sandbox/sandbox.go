package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/luikyv/go-oidc/pkg/goidc"
)

// A Sandbox is a running one. Its methods may be called by many goroutines at once.
type Sandbox struct {
	shape    *shape
	grant    grantMode
	region   string // where the person lives
	store    *store
	now      func() time.Time
	log      func(Request)
	reasons  map[string]string // of scopes
	group    *listenerGroup
	servers  map[string]*server
	ready    Ready
	ports    []int // registered for redirects
	files    files
	sessions *mcpSessions
	signing  func() (goidc.JSONWebKeySet, error)

	closing sync.Once
	closed  error

	oneByOne sync.Mutex // the library answers one request at a time

	mu               sync.Mutex
	misbehaviors     []misbehavior
	used             map[misbehavior]bool // those that come once
	requests         []Request
	forgotten        int      // how many requests came before these
	listed, unlisted []string // changes of scopes_supported
}

// sharedServer names, in a [Request], the server that all regions share.
const sharedServer = "mcp"

// Start starts a sandbox. It fails on options that make no sense (a misbehavior that
// does not exist is an *[UnknownKindError]), on an address that cannot be listened on,
// and where its files cannot be written; nothing is left behind then. When ctx ends,
// answers on their way are cut; [Sandbox.Close] has to be called all the same.
func Start(ctx context.Context, o Options) (*Sandbox, error) {
	s, err := newSandbox(o)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	address := o.Listen
	if address == "" {
		address = defaultListen
	}
	if s.group, err = newListenerGroup(ctx, address); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	if err := s.build(o); err != nil {
		return nil, errors.Join(fmt.Errorf("sandbox: %w", err), s.Close())
	}
	return s, nil
}

// newSandbox reads the options.
func newSandbox(o Options) (*Sandbox, error) {
	shape, err := theShape()
	if err != nil {
		return nil, err
	}
	s := &Sandbox{shape: shape, now: o.Now, log: o.Log, reasons: o.Reasons, signing: sync.OnceValues(newSigningKeys), servers: map[string]*server{}, sessions: newMCPSessions()}
	if s.now == nil {
		s.now = time.Now
	}
	if s.grant, err = parseGrant(shape, o.Grant); err != nil {
		return nil, err
	}
	if s.region, err = parseRegion(shape, o.Region); err != nil {
		return nil, err
	}
	s.store = newStore(shape, s.now, makeKeys(shape, s.region))
	s.store.extra, s.store.deviceLife = shape.More, s.deviceLife
	return s, s.Misbehave(o.Misbehave...)
}

// build opens the other listeners, sets every server up and lets them answer.
func (s *Sandbox) build(o Options) error {
	var err error
	if s.ports, err = freePorts(s.shape.Redirect.Ports); err != nil {
		return err
	}
	listeners, err := s.openListeners()
	if err != nil {
		return err
	}
	s.ready = s.describe(listeners)
	if err := s.writeFiles(o); err != nil {
		return err
	}
	handlers := map[*listener]http.Handler{}
	for name, l := range listeners.servers {
		if handlers[l], err = s.addServer(name, l.origin); err != nil {
			return err
		}
	}
	for region, l := range listeners.gateways {
		handlers[l] = (&gateway{s, region}).handler()
	}
	handlers[listeners.mcp] = (&mcpServer{s, listeners.mcp.origin, listeners.servers[s.shape.Cloud].origin}).handler()
	for l, handler := range handlers { // every server is known before one answers
		s.group.serve(l, handler)
	}
	return nil
}

// listeners are those of a sandbox by what stands behind them.
type listeners struct {
	servers  map[string]*listener // authorization servers by name; a region's has the API too
	gateways map[string]*listener // by region
	mcp      *listener
}

func (s *Sandbox) openListeners() (listeners, error) {
	d := listeners{servers: map[string]*listener{s.shape.Cloud: s.group.listeners[0]}, gateways: map[string]*listener{}}
	var err error
	for _, region := range s.shape.Regions {
		if d.servers[region], err = s.group.another(); err != nil {
			return d, err
		}
		if d.gateways[region], err = s.group.another(); err != nil {
			return d, err
		}
	}
	d.mcp, err = s.group.another()
	return d, err
}

// Close ends the service: answers on their way are cut, handlers waited for, files
// removed. A second call only repeats the answer of the first.
func (s *Sandbox) Close() error {
	s.closing.Do(func() { s.closed = errors.Join(s.group.close(), s.files.remove()) })
	return s.closed
}

// Shrink takes scopes from everyone: out of the applications' ceilings, out of tokens
// and keys already issued, at once, and out of what a refresh gives. A key that holds
// everything by its one word keeps it. Whoever listens at the MCP server is told that its
// catalogue has changed.
func (s *Sandbox) Shrink(scopes ...string) {
	s.store.shrink(scopes)
	s.sessions.tell()
}

// ExpireAll ends the life of every access token now. Refresh tokens and keys stay.
func (s *Sandbox) ExpireAll() { s.store.expireAll() }

// Requests lists what was served so far, in the order in which answers began; of very
// many only the later ones. Calls of the control endpoints are not among them.
func (s *Sandbox) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Misbehave replaces what goes wrong from now on; without kinds all is well. What
// comes once can come again. The error of a kind that does not exist is an
// *[UnknownKindError]; nothing changes then.
func (s *Sandbox) Misbehave(kinds ...string) error {
	list, err := parseMisbehaviors(kinds)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.misbehaviors, s.used = list, map[misbehavior]bool{}
	return nil
}

// Advertise changes scopes_supported in every metadata document: remove is left out
// of it, add is put at its end. Each call replaces the one before. What can be granted
// does not change.
func (s *Sandbox) Advertise(add, remove []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listed, s.unlisted = slices.Clone(add), slices.Clone(remove)
}

// wrap is what stands before every handler.
func (s *Sandbox) wrap(server, part string, h http.Handler) http.Handler {
	return s.withRecord(server, part, s.withFaults(part, h))
}

// serving wraps a handler of this server.
func (sv *server) serving(part string, h http.Handler) http.Handler { return sv.wrap(sv.name, part, h) }

// addServer sets up an authorization server, and the API where it is a region's.
func (s *Sandbox) addServer(name, origin string) (http.Handler, error) {
	sv := &server{Sandbox: s, name: name, origin: origin}
	if name != s.shape.Cloud {
		sv.region, sv.resource = name, origin+resourcePath
	}
	sv.view = view{s.store, name, sv.region}
	s.servers[name] = sv
	if err := sv.useLibrary(); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	sv.authorizationRoutes(mux)
	if sv.region != "" {
		mux.Handle("GET "+resourcePath, sv.serving(partMetadata, s.resourceDocument(origin, origin, nil)))
		sv.apiRoutes(mux)
		return mux, nil
	}
	s.controlRoutes(mux, origin)
	mux.Handle("/", sv.serving(partAPI, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { sv.refuse(w, "not_found", nil) })))
	return s.withPage(origin, mux), nil
}

// authorizationRoutes stand where the metadata says, final slash and all.
func (sv *server) authorizationRoutes(mux *http.ServeMux) {
	at := func(method, member, part string, h http.HandlerFunc) {
		path := sv.shape.endpointPath(member)
		if path[len(path)-1] == '/' {
			path += "{$}"
		}
		mux.Handle(method+path, sv.serving(part, h))
	}
	mux.Handle("GET "+authorizationServerPath, sv.serving(partMetadata, sv.metadata(sv.shape.authorizationServer)))
	mux.Handle("GET "+openIDPath, sv.serving(partMetadata, sv.metadata(sv.shape.openID)))
	at("GET ", "jwks_uri", partMetadata, sv.passOn)
	at("GET ", "authorization_endpoint", partAuthorize, sv.authorize)
	at("POST ", "authorization_endpoint", partAuthorize, sv.authorize)
	mux.Handle(sv.shape.endpointPath("authorization_endpoint")+"{session}", sv.serving(partAuthorize, http.HandlerFunc(sv.authorize)))
	at("POST ", "token_endpoint", partToken, sv.token)
	at("POST ", "revocation_endpoint", partRevoke, sv.passOn)
	at("POST ", "introspection_endpoint", partInspect, sv.introspect)
	at("GET ", "userinfo_endpoint", partUserInfo, sv.passOn)
	at("POST ", "userinfo_endpoint", partUserInfo, sv.passOn)
	at("POST ", "registration_endpoint", partAuthorize, sv.register)
	sv.deviceRoutes(mux)
}
