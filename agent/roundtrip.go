package agent

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/refusal"
	"github.com/ambit-auth/ambit/oauth/credential"
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
	began      time.Time
	call       *mcpCall // nil where the request is not one of MCP

	status  int      // of the answer; 0 where there was none
	named   []string // scopes that the answer names
	problem error    // why there was none
}

func unescaped(path string) string {
	plain, err := url.PathUnescape(path)
	if err != nil {
		return path // [scopes.RequestPath] has seen to it that this cannot be
	}
	return plain
}

// RoundTrip sends the request. An answer that is no refusal passes as it came.
func (x *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := x.p.transport.RoundTrip(req)
	if err != nil {
		x.problem = err
		return nil, err
	}
	if x.forwardsUnread(resp) {
		return resp, nil
	}
	return x.refused(req, resp)
}

// forwardsUnread reports whether an answer is none of our business.
func (x *exchange) forwardsUnread(resp *http.Response) bool {
	x.status = resp.StatusCode
	if x.isRefusal(resp.StatusCode) {
		return false
	}
	if x.upload != nil {
		x.upload.drop()
	}
	if resp.StatusCode < http.StatusBadRequest {
		x.p.credentials.worked(x.credential)
		if x.route.unclear.Load() != 0 {
			x.route.unclear.Store(0)
		}
	}
	return true
}

// isRefusal reports whether an answer is to be read. A 404 is one only where a declared
// scope is missing: servers may hide what one may not see (RFC 9110 §15.5.5).
func (x *exchange) isRefusal(status int) bool {
	if status == http.StatusNotFound {
		c := x.p.caseOf(x, diagnosis.Response{Status: status})
		declared := c.Declared()
		return len(declared) > 0 && len(c.Unmet(declared)) > 0
	}
	return x.p.refusals[status]
}

// refused finds out why, after one more try where that can help.
func (x *exchange) refused(req *http.Request, resp *http.Response) (*http.Response, error) {
	answer := x.read(resp)
	if resp.StatusCode == http.StatusUnauthorized && x.credential.Renewable() && x.renewalMayHelp(answer) {
		again, passed, err := x.again(req, resp)
		switch {
		case err != nil:
			return nil, err
		case passed:
			return again, nil
		case again != nil:
			resp, answer = again, x.read(again)
		}
	}
	v := x.p.diagnose(req.Context(), x, answer)
	x.named = v.Missing
	x.p.report(v)
	if x.final(v) {
		return x.explained(resp, v), nil
	}
	return resp, nil
}

// read reads the beginning of a refusal, and puts it back.
func (x *exchange) read(resp *http.Response) diagnosis.Response {
	first, whole := peek(resp.Body, refusal.MaxBody, refusalPatience)
	resp.Body = whole
	return diagnosis.Response{Status: resp.StatusCode, Header: resp.Header, Body: first}
}

// renewalMayHelp reports whether nothing explains the refusal that a renewal leaves as it is.
func (x *exchange) renewalMayHelp(answer diagnosis.Response) bool {
	cause := diagnosis.Diagnose(x.p.caseOf(x, answer)).Cause
	return !slices.Contains([]diagnosis.Cause{diagnosis.CauseMissingScope, diagnosis.CauseNotAScopeProblem, diagnosis.CauseWrongCredentialKind}, cause)
}

// again sends the request once more with a renewed credential. passed tells that its
// answer is no refusal. Without a renewal there is no answer; where the upload was not
// kept the first one passes, for the agent's own next try will do.
func (x *exchange) again(req *http.Request, resp *http.Response) (second *http.Response, passed bool, err error) {
	fresh, ok := x.p.credentials.refused(req.Context(), x.credential)
	if !ok {
		return nil, false, nil
	}
	x.credential = fresh
	replay := req.Clone(req.Context())
	if req.Body != nil && req.Body != http.NoBody {
		if replay.Body = x.replayed(); replay.Body == nil {
			x.p.log.Info("renewed, and not repeated: the upload was not kept", "base", x.route.base.Name)
			return resp, true, nil
		}
	}
	_ = resp.Body.Close() // its connection is of no use until then
	x.p.lend(replay.Header, fresh)
	if second, err = x.p.transport.RoundTrip(replay); err != nil {
		x.problem, x.status = err, 0
		return nil, false, err
	}
	return second, x.forwardsUnread(second), nil
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
func (x *exchange) final(v diagnosis.Verdict) bool {
	told := x.p.cfg.Agent
	switch {
	case told.RefusalStatus == 0:
		return false
	case v.Status == http.StatusUnauthorized:
		return v.Final() || told.Retries401 && x.route.unclear.Add(1) >= unclearFinal
	}
	return v.Status == http.StatusForbidden && v.Final()
}

// explained makes of a refusal one in the shape that the agent shows to people, with the
// status at which it stops. Its challenge (RFC 9110 §11.6.1) is left out: there is nothing
// that the agent could do. What is written down stays the server's status.
func (x *exchange) explained(resp *http.Response, v diagnosis.Verdict) *http.Response {
	_ = resp.Body.Close()
	body := x.p.refusalBody(x.route.base.Name, v.Message)
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

// failed answers where the server did not.
func (x *exchange) failed(w http.ResponseWriter, r *http.Request, err error) {
	if x.problem == nil {
		x.problem = err
	}
	if errors.Is(r.Context().Err(), context.Canceled) { // the child has gone
		return
	}
	x.status = http.StatusBadGateway
	w.WriteHeader(x.status)
}

// finish has it written down what became of the request; note says why it went no further.
func (x *exchange) finish(note string) {
	x.p.events.write(event{
		base: x.route.base.Name, method: x.method, path: x.path, tool: x.call.tool(), status: x.status, named: x.named,
		began: x.began, took: x.p.cfg.Now().Sub(x.began), note: note, problem: x.problem,
	})
}
