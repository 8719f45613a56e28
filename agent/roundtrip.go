package agent

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/mcp"
	"github.com/ambit-auth/ambit/internal/refusal"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
)

// An exchange is one request on its way to a server, and the answer on its way back.
// It is the transport below [httputil.ReverseProxy]: that one knows what passes from
// hop to hop, this one what a refusal is.
type exchange struct {
	p          *Proxy
	route      *route
	method     string
	rest       string // below the base, escaped, as it came
	path       string // the same as operations are matched by it
	sent       diagnosis.Sent
	credential *credential.Credential // nil where the request goes nowhere
	upload     *replayBuffer          // nil where a replay is out of the question
	watching   int64                  // chunks of what is looked at, until the request is over
	cut        atomic.Bool            // the child's upload could not be read to its end
	began      time.Time
	host       string       // by which the child called the proxy
	call       *passingBody // of a request to an MCP server; nil for any other
	asked      mcp.Request  // of an MCP server, as soon as it has answered

	status  int      // of the answer; 0 where there was none
	named   []string // scopes that the answer names
	problem error    // why there was none

	lost *diagnosis.Verdict // what the grant was found to have lost; nil where there is nothing to tell
}

// RoundTrip sends the request. A response that is not a refusal passes as it came, but for URLs
// that would lead the child out of the proxy.
func (x *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := x.send(req)
	if err != nil {
		return nil, err
	}
	x.mapLinks(resp)
	x.watchCatalogue(req.Context(), resp)
	return resp, nil
}

func (x *exchange) send(req *http.Request) (*http.Response, error) {
	resp, err := x.roundTrip(req)
	if err != nil {
		x.problem = err
		return nil, err
	}
	x.readCall(req)
	x.answered(resp)
	switch {
	case !diagnosis.MayRefuse(x.p.cfg.Provider, resp.StatusCode, resp.Header):
		return x.passed(resp), nil
	case resp.StatusCode < http.StatusMultipleChoices && !x.hasEnded(resp):
		return x.tapped(req.Context(), x.passed(resp)), nil
	}
	return x.settle(req, resp)
}

// settle finds out why a request was refused, if it was, after one more try where that can help.
func (x *exchange) settle(req *http.Request, resp *http.Response) (*http.Response, error) {
	defer x.tellLost()
	c, left := x.begun(resp), x.untried()
	left.Widen = x.p.stepUps.mayWiden(x.credential)
	for {
		switch diagnosis.Next(c, left) {
		case diagnosis.MovePass:
			return x.passed(resp), nil
		case diagnosis.MoveRead:
			left.Read = false
			if !x.watches() {
				break
			}
			c.Response.Body, resp.Body = files.Peek(resp.Body, refusal.MaxBody, refusal.Patience)
		case diagnosis.MoveRenew:
			left.Renew = false
			again, err := x.again(req, resp)
			switch {
			case err != nil:
				return nil, err
			case again == nil:
				c.Renewal = x.p.credentials.problem(x.credential)
			case again == resp:
				return resp, nil
			default:
				resp, c, left.Read = again, x.begun(again), true
				left.Ask = x.p.cfg.Ask != nil
			}
		case diagnosis.MoveAsk:
			left.Ask = false
			c = x.ask(req.Context(), c)
		case diagnosis.MoveWiden:
			left.Widen = false
			fresh := x.p.widened(req.Context(), x.credential, diagnosis.Diagnose(c))
			if fresh == nil {
				continue
			}
			again, err := x.resend(req, resp, fresh)
			if err != nil || again == resp {
				return again, err
			}
			resp, c, left = again, x.begun(again), x.untried()
		case diagnosis.MoveTell:
			return x.told(resp, c), nil
		}
	}
}

// untried is all that can be tried about a response to a request that nobody is asked for.
func (x *exchange) untried() diagnosis.Untried {
	return diagnosis.Untried{Read: true, Renew: x.credential.Renewable(), Ask: x.p.cfg.Ask != nil}
}

// watches reports whether there is room to look at one more body. Where there is none, because so many
// are looked at, it passes, and is judged by its header.
func (x *exchange) watches() bool {
	if !x.p.watched.reserve(1) {
		return false
	}
	x.watching++
	return true
}

// hasEnded reports whether a response of success says, in a form of the provider's file, that the credential is
// not accepted, and a renewal may help. Only where the file has such a form is its beginning held back.
func (x *exchange) hasEnded(resp *http.Response) bool {
	mayReject := refusal.MayReject(x.p.cfg.Provider, x.route.base.Name, resp.StatusCode, resp.Header)
	if !mayReject || !x.credential.Renewable() || resp.ContentLength > refusal.MaxBody || !x.watches() {
		return false
	}
	c := x.begun(resp)
	c.Response.Body, resp.Body = files.Peek(resp.Body, refusal.MaxBody, refusal.Patience)
	return diagnosis.Next(c, diagnosis.Untried{Renew: true}) == diagnosis.MoveRenew
}

// tapped is a response of success, of which an error in the body is told when it has passed: it
// is not held back, and never replaced.
func (x *exchange) tapped(ctx context.Context, resp *http.Response) *http.Response {
	if refusal.TellsByHead(x.p.cfg.Provider, x.route.base.Name, resp.StatusCode, resp.Header) {
		x.judgeSuccess(ctx, x.begun(resp))
		return resp
	}
	if resp.Body == nil || resp.ContentLength == 0 || resp.ContentLength > refusal.MaxBody || !x.watches() { // too long for an error
		return resp
	}
	begun := x.begun(resp)
	resp.Body = &watchedBody{ReadCloser: resp.Body, stream: refusal.IsStream(resp.Header), show: func(body []byte) {
		c := begun
		c.Response.Body = body
		if refusal.Fails(x.p.cfg.Provider, c.Base, refusal.Response(c.Response)) {
			x.judgeSuccess(ctx, c)
		}
	}}
	return resp
}

// judgeSuccess tells what is wrong with a response of success.
func (x *exchange) judgeSuccess(ctx context.Context, c diagnosis.Case) {
	left := diagnosis.Untried{Ask: x.p.cfg.Ask != nil}
	move := diagnosis.Next(c, left)
	if move == diagnosis.MoveAsk {
		c = x.ask(ctx, c)
		move = diagnosis.Next(c, diagnosis.Untried{})
	}
	if move == diagnosis.MoveTell {
		x.tell(c)
	}
	x.tellLost()
}

// begun is the case of a response of which only the head is known.
func (x *exchange) begun(resp *http.Response) diagnosis.Case {
	return x.p.caseOf(x, diagnosis.Response{Status: resp.StatusCode, Header: resp.Header})
}

// passed notes that a response is none of our business.
func (x *exchange) passed(resp *http.Response) *http.Response {
	if x.upload != nil {
		x.upload.drop()
	}
	if scopes.Succeeded(resp.StatusCode) {
		x.p.credentials.worked(x.credential)
		x.p.stepUps.worked(x.credential)
		if x.route.unclear.Load() != 0 {
			x.route.unclear.Store(0)
		}
	}
	return resp
}

// again sends the request once more with a renewed credential. Without a renewal there is no
// second response; where the upload was not kept the first one passes, for the agent's own next
// try will do.
func (x *exchange) again(req *http.Request, resp *http.Response) (second *http.Response, err error) {
	fresh, ok := x.p.credentials.refused(req.Context(), x.credential)
	if !ok {
		return nil, nil
	}
	return x.resend(req, resp, fresh)
}

// resend sends the request once more, with another credential.
func (x *exchange) resend(req *http.Request, resp *http.Response, fresh *credential.Credential) (second *http.Response, err error) {
	x.credential = fresh
	replay := req.Clone(req.Context())
	if req.Body != nil && req.Body != http.NoBody {
		if replay.Body = x.replayed(); replay.Body == nil {
			x.p.log.Info("not repeated with the new credential: the upload was not kept", "base", x.route.base.Name)
			return resp, nil
		}
	}
	_ = resp.Body.Close() // its connection is of no use until then
	x.p.lend(replay.Header, fresh)
	if second, err = x.roundTrip(replay); err != nil {
		x.problem, x.status = err, 0
		return nil, err
	}
	x.answered(second)
	return second, nil
}

// ask asks servers about the credential. What its own one says that it holds is taken over; what
// it lost is told behind the verdict on the request, and decides nothing: see [exchange.tellLost].
func (x *exchange) ask(ctx context.Context, c diagnosis.Case) diagnosis.Case {
	before := c.Grant
	c, learned := c.Answered(x.p.inquiries.About(ctx, x.credential))
	if learned {
		now := x.credential.Holding(c.Grant)
		x.p.credentials.learn(now)
		if v, any := diagnosis.Lost(x.p.baseCase(now), before); any {
			v.Beside = true
			x.lost = &v
		}
	}
	return c
}

// tellLost tells what the grant has lost, where that came out.
func (x *exchange) tellLost() {
	if x.lost != nil {
		x.p.report(*x.lost)
		x.lost = nil
	}
}

// told reports the verdict, and is what the agent gets.
func (x *exchange) told(resp *http.Response, c diagnosis.Case) *http.Response {
	v := x.tell(c)
	if x.final(v, resp) {
		return x.explained(resp, v)
	}
	return resp
}

// tell reports the verdict.
func (x *exchange) tell(c diagnosis.Case) diagnosis.Verdict {
	x.p.rescan()
	c.Conflicts = x.conflicts()
	v := diagnosis.Diagnose(c)
	x.named = v.Named
	if v.Cause == diagnosis.CauseMissingScope {
		x.route.trouble.lasts(false, x.p.cfg.Now()) // a server that fails over a scope is in no trouble of its own
	}
	x.p.report(v)
	return v
}

func (x *exchange) replayed() io.ReadCloser {
	if x.upload == nil {
		return nil
	}
	return x.upload.again()
}

// unclearFinal is how often in a row a server must answer 401, without anybody knowing
// why, before a repetition counts as in vain: once shown is enough.
const unclearFinal = 2

// final reports whether a refusal is handed on as its explanation.
func (x *exchange) final(v diagnosis.Verdict, resp *http.Response) bool {
	told := x.p.cfg.Agent
	switch {
	case told.RefusalStatus == 0:
		return false
	case v.Status == http.StatusUnauthorized:
		return v.Final() || told.Retries401 && x.route.unclear.Add(1) >= unclearFinal
	}
	// Where the status itself leads the program astray, whatever is known is better with another,
	// unless a challenge tells the program more.
	astray := told.RefusalStatus != http.StatusForbidden && resp.Header.Get("WWW-Authenticate") == ""
	return v.Status == http.StatusForbidden && (v.Final() || astray)
}

// explained makes of a refusal one in the shape that the agent shows to people, with the
// status at which it stops. Its challenge (RFC 9110 §11.6.1) is left out: there is nothing
// that the agent could do. What is written down stays the server's status.
func (x *exchange) explained(resp *http.Response, v diagnosis.Verdict) *http.Response {
	_ = resp.Body.Close()
	body := x.p.refusalBody(x.route.base.Name, v.Failing(), v.Message)
	out := &http.Response{
		StatusCode: x.p.cfg.Agent.RefusalStatus, Proto: resp.Proto, ProtoMajor: resp.ProtoMajor, ProtoMinor: resp.ProtoMinor,
		Header: resp.Header.Clone(), Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: resp.Request,
	}
	for _, name := range []string{"Www-Authenticate", "Content-Encoding", "Etag", "Last-Modified", "Trailer", "Content-Md5", "Digest"} {
		out.Header.Del(name)
	}
	out.Header.Set("Content-Type", "application/json")
	out.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return out
}

// finish has it written down what became of the request; note says why it went no further.
func (x *exchange) finish(note string) {
	x.p.events.write(event{
		base: x.route.base.Name, method: x.method, path: x.path, tool: x.tool(), status: x.status, named: x.named,
		began: x.began, took: x.p.cfg.Now().Sub(x.began), note: note, problem: x.problem,
	})
}
