package agent

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
	"sync"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// ServeHTTP takes a request of the child. Whatever does not come with the lease ends
// here.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !p.isOurs(r.Host) { // a page of some site, through DNS rebinding
		p.turnedAway(p.inspect(r), "host "+text.Line(r.Host)+": ambit serves "+p.hosts[0])
		http.Error(w, "this proxy does not serve that host", http.StatusMisdirectedRequest)
		return
	}
	route, rest, ok := p.route(r)
	if !ok {
		p.strayed(w, r)
		return
	}
	x := &exchange{p: p, route: route, rest: rest, method: r.Method, began: p.cfg.Now(), host: r.Host, sent: p.inspect(r)}
	if !x.locate() {
		p.turnedAway(x.sent, "a path that leads out of base "+route.base.Name)
		x.answer(w, http.StatusBadRequest, provider.FailingRequest, "the path leads out of the base "+route.base.Name)
		return
	}
	switch {
	case x.sent.Ours:
		x.forward(w, r)
	case len(x.sent.Misplaced) > 0 || slices.ContainsFunc(x.sent.Others, isLogin):
		x.refuse(w)
	default:
		x.answerNone(w)
	}
}

// strayed answers a request to an address that is not one of a base, and tells of the first one. Of
// a child all of whose requests go there [diagnosis.NotRouted] tells.
func (p *Proxy) strayed(w http.ResponseWriter, r *http.Request) {
	p.astray.Add(1)
	if p.requests.Load() > 0 && p.strayTold.CompareAndSwap(false, true) {
		path := strings.NewReplacer(p.secret, "{secret}", p.lease.Reveal(), "{lease}").Replace(r.URL.EscapedPath())
		p.note("a request for " + text.Cut(text.Line(path), text.MaxWord) + " came to ambit, which is not below one of the bases, and got a 404")
	}
	var variables []string
	for _, base := range p.cfg.Server.Bases {
		variables = append(variables, profile.BaseVariable(base.Name))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write(inShape(plainRefusal, "ambit serves no base at this address; those that it serves are in "+text.Listed(variables)))
}

// turnedAway counts and tells of a request with the lease that ends here before it is known where
// it was to go.
func (p *Proxy) turnedAway(sent diagnosis.Sent, where string) {
	if sent.Ours || len(sent.Misplaced) > 0 {
		p.requests.Add(1)
		p.note("a request with the lease went to " + where)
	}
}

// isOurs reports whether a request means this proxy.
func (p *Proxy) isOurs(host string) bool {
	return host == p.hosts[0] || host == p.hosts[1] || p.origins[host] != nil
}

// route finds the base by the port, else by the path's beginning, and what stands below it,
// escaped.
func (p *Proxy) route(r *http.Request) (*route, string, bool) {
	if route := p.origins[r.Host]; route != nil {
		path := r.URL.EscapedPath()
		return route, path, strings.HasPrefix(path, "/")
	}
	rest, ours := strings.CutPrefix(r.URL.EscapedPath(), "/"+p.secret+"/")
	name, below, slash := strings.Cut(rest, "/")
	route := p.routes[name]
	if !ours || route == nil {
		return nil, "", false
	}
	if slash {
		below = "/" + below
	}
	return route, below, true
}

// locate finds what the request is by the URL to which it goes: below one base another can
// begin. Of bases that begin at the same place it is the one that the child chose.
func (x *exchange) locate() bool {
	name, below, ok := x.p.places.Locate(x.route.to(x.rest))
	if !ok {
		return false
	}
	if inner := x.p.routes[name]; len(inner.prefix) > len(x.route.prefix) {
		x.route, x.rest = inner, below
	}
	x.path, ok = scopes.RequestPath(x.rest)
	x.path = strings.ReplaceAll(x.path, x.p.lease.Reveal(), "{lease}") // it is logged
	return ok
}

// forward sends the request on, with the credential in place of the lease.
func (x *exchange) forward(w http.ResponseWriter, r *http.Request) {
	p := x.p
	p.requests.Add(1)
	p.reportBeside(x.sent.Others)
	x.credential = p.credentials.current(r.Context())
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = uploadWatch{r.Body, &x.cut}
	}
	if r.Body != nil && r.Body != http.NoBody && (x.credential.Renewable() || p.stepUps.mayWiden(x.credential)) {
		if x.upload = newReplayBuffer(&p.uploads, r.Body, r.ContentLength); x.upload != nil {
			defer x.upload.drop()
		}
	}
	proxy := httputil.ReverseProxy{
		Rewrite: x.rewrite, Transport: x, ErrorHandler: x.failed, BufferPool: &p.copies, ErrorLog: p.quiet,
	}
	defer func() { p.watched.release(x.watching) }()
	defer x.finish("") // also where the answer is cut: that is a panic
	proxy.ServeHTTP(w, r)
}

// rewrite makes of the child's request the one that goes out.
func (x *exchange) rewrite(r *httputil.ProxyRequest) {
	target := x.route.to(x.rest)
	target.RawQuery = x.p.withoutCredentials(r.In.URL.RawQuery)
	r.Out.URL, r.Out.Host = target, ""
	x.p.lend(r.Out.Header, x.credential)
	atMostGzip(r.Out.Header)
	switch {
	case r.Out.Body == nil:
	case x.upload != nil:
		r.Out.Body = x.upload.again()
	default:
		r.Out.Body = &endingBody{ReadCloser: r.Out.Body}
	}
	x.watchCall(r.Out)
}

// An endingBody stays at its end. The transport reads once more behind it, and by then the server
// may have begun to answer and closed the request's own body: that would cut the connection, and
// with it the response.
type endingBody struct {
	io.ReadCloser
	err error
}

// Read passes what comes.
func (b *endingBody) Read(into []byte) (n int, err error) {
	if b.err == nil {
		n, b.err = b.ReadCloser.Read(into)
	}
	return n, b.err
}

// isLogin reports whether a field by itself shows that somebody's credential was sent. A cookie
// can be anything.
func isLogin(field string) bool { return field != "Cookie" }

// refuse answers a request whose lease is not where it is swapped, or that carries only a
// credential of somebody else's. It goes nowhere, and neither does a credential.
func (x *exchange) refuse(w http.ResponseWriter) {
	x.p.others.Add(1)
	x.p.rescan()
	v := diagnosis.Diagnose(x.p.caseOf(x, diagnosis.Response{}))
	x.p.report(v)
	x.answer(w, x.refusalStatus(), provider.FailingCredential, v.Message)
}

// answerNone answers a request without any credential. Agents look whether someone is
// there before they show one: that is no refusal, and nothing is to be told.
func (x *exchange) answerNone(w http.ResponseWriter) {
	x.p.bare.Add(1)
	if x.method == http.MethodHead {
		x.status = http.StatusOK
		w.WriteHeader(x.status)
		x.finish("answered here: no credential")
		return
	}
	x.answer(w, x.refusalStatus(), provider.FailingCredential, "the request carries no credential; ambit lends one to a request that carries the value of AMBIT_LEASE")
}

// refusalStatus is 401, unless the agent stops at another.
func (x *exchange) refusalStatus() int {
	return cmp.Or(x.p.cfg.Agent.RefusalStatus, http.StatusUnauthorized)
}

// answer ends a request here.
func (x *exchange) answer(w http.ResponseWriter, status int, why provider.Failing, message string) {
	x.write(w, status, why, message)
	x.finish("answered here: " + message)
}

// write answers with an error in the shape that the clients of the base expect.
func (x *exchange) write(w http.ResponseWriter, status int, why provider.Failing, message string) {
	x.status = status
	body := x.p.refusalBody(x.route.base.Name, why, message)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the child may have gone
}

// plainRefusal is the shape of an error for a base of which no other is known.
const plainRefusal = `{"error": {"message": "{message}"}}`

// refusalBody is an error in the shape that the clients of a base expect.
func (p *Proxy) refusalBody(base string, why provider.Failing, message string) []byte {
	return inShape(cmp.Or(p.cfg.Provider.RefusalShape(base, why), plainRefusal), message)
}

func inShape(shape, message string) []byte {
	quoted, _ := json.Marshal(message) // a string encodes
	return []byte(strings.ReplaceAll(shape, "{message}", string(quoted[1:len(quoted)-1])))
}

// copySize is what a response is copied by: as much as most events and answers have.
const copySize = 32 << 10

// copyBuffers are the buffers of [httputil.BufferPool].
type copyBuffers struct{ pool sync.Pool }

// Get implements [httputil.BufferPool].
func (c *copyBuffers) Get() []byte {
	if buffer, ok := c.pool.Get().(*[copySize]byte); ok {
		return buffer[:]
	}
	return make([]byte, copySize)
}

// Put implements [httputil.BufferPool].
func (c *copyBuffers) Put(buffer []byte) { c.pool.Put((*[copySize]byte)(buffer)) }
