package guard

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ambit-auth/ambit/internal/files"
)

// Requester sends requests under the guard: the redirect policy of [NewClient],
// a size limit, one short wait where a server is busy. Its zero value is ready to use. It is safe
// for concurrent use as long as its fields are left alone.
type Requester struct {
	// HTTP is the client to send with; nil means Go's default. The guard is put on
	// a copy of it. Its Timeout holds; without one, the request's context does.
	HTTP *http.Client
	// Accept is what kinds of document are wanted (RFC 9110 §12.5.1); "" means [AcceptJSON].
	Accept string
	// Now is the clock for dates in Retry-After; nil means time.Now.
	Now func() time.Time
	// AnyStatus says that a 5xx, 408 or 425 is a Response as well, for whom such a one may
	// say more; see [Response.Trouble].
	AnyStatus bool
	// Bound says that the request carries a credential, wherever it has it: no redirect is followed.
	Bound bool
	// Wait sleeps for d or until ctx ends, and then returns ctx's error; nil means
	// a timer.
	Wait func(ctx context.Context, d time.Duration) error
	// Waits is told of a wait before it begins. nil: nobody is.
	Waits func(host string, d time.Duration)
}

// What a [Requester] may accept.
const (
	AcceptJSON = "application/json"
	AcceptYAML = AcceptJSON + ", application/yaml;q=0.9, */*;q=0.5" // JSON or YAML, by whatever name
)

// Response is one that was read to its end.
type Response struct {
	Status int
	Header http.Header
	URL    *url.URL // where the response came from, after redirects
	Body   []byte   // unpacked

	trouble *Error // what the status says by itself; nil for one that is a response
}

// Trouble is the error of a status that says that the server may well answer later; nil for
// every other. It carries Retry-After.
func (r *Response) Trouble() error {
	if r.trouble == nil {
		return nil
	}
	return r.trouble
}

// Do sends req and reads the response, of at most limit bytes. A 429 or a 503 that asks to
// wait less than [maxRetryWait] is waited out once; a request with a body is sent
// again only if it has GetBody. Every status but 5xx, 408, 425 and 429 is a Response.
// The error is always an [Error].
func (r *Requester) Do(req *http.Request, limit int64) (*Response, error) {
	return r.do(req, func(body io.Reader) ([]byte, error) { return files.ReadAll(body, limit) })
}

// Copy is [Requester.Do] with the body written to w, and none in the Response: one of many
// megabytes takes its size several times over while it grows in memory. An error of w is the
// cause of the [Error].
func (r *Requester) Copy(w io.Writer, req *http.Request, limit int64) (*Response, error) {
	return r.do(req, func(body io.Reader) ([]byte, error) { return nil, files.Copy(w, body, limit) })
}

// Begin is [Requester.Do] for whom the header is enough: the body is not read.
func (r *Requester) Begin(req *http.Request) (*Response, error) {
	return r.do(req, func(io.Reader) ([]byte, error) { return nil, nil })
}

// do is Do with a way to read the body.
func (r *Requester) do(req *http.Request, read func(body io.Reader) ([]byte, error)) (*Response, error) {
	response, err := r.once(req, read)
	busy := err
	if response != nil {
		busy = response.trouble
	}
	if busy.asksToWait() {
		if again, ok := Rewound(req); ok {
			if waitErr := r.wait(req.Context(), busy); waitErr != nil {
				e := requestError(req, waitErr)
				e.Unsent = true
				return nil, e
			}
			response, err = r.once(again, read)
		}
	}
	if err != nil {
		return nil, err
	}
	return response, nil
}

// asksToWait reports whether a server is busy, and for so short a time that a person waits.
func (e *Error) asksToWait() bool {
	return e != nil && (e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable) &&
		e.RetryAfter > 0 && e.RetryAfter < maxRetryWait
}

func (r *Requester) once(req *http.Request, read func(body io.Reader) ([]byte, error)) (*Response, *Error) {
	var line connecting
	resp, err := withPolicy(r.HTTP, r.Bound).Do(r.introduced(line.watch(req)))
	if err != nil {
		e := requestError(req, err)
		e.Unsent = e.Unsent || line.none()
		return nil, e
	}
	defer resp.Body.Close()
	var trouble *Error
	if IsTemporary(resp.StatusCode) {
		trouble = r.statusError(req, resp)
		if !r.AnyStatus || trouble.Kind == KindRateLimited {
			return nil, trouble
		}
	}
	body, err := read(resp.Body)
	if err != nil {
		return nil, requestError(req, err)
	}
	return &Response{Status: resp.StatusCode, Header: resp.Header, URL: resp.Request.URL, Body: body, trouble: trouble}, nil
}

// connecting is what became of the connection for a request. A transport that is not Go's tells nothing.
type connecting struct{ wanted, had atomic.Bool }

// watch is req whose connection is watched.
func (c *connecting) watch(req *http.Request) *http.Request {
	return req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GetConn: func(string) { c.wanted.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { c.had.Store(true) },
	}))
}

// none reports whether there was none, so that nothing was sent.
func (c *connecting) none() bool { return c.wanted.Load() && !c.had.Load() }

// introduced is req with what every request of ours says of itself.
func (r *Requester) introduced(req *http.Request) *http.Request {
	req = req.Clone(req.Context())
	req.Header.Set("Accept", cmp.Or(req.Header.Get("Accept"), r.Accept, AcceptJSON))
	req.Header.Set("User-Agent", "ambit")
	return req
}

// Rewound is req, ready to be sent a second time; ok is false where its body cannot be had again.
func Rewound(req *http.Request) (again *http.Request, ok bool) {
	again = req.Clone(req.Context())
	if req.Body == nil || req.Body == http.NoBody {
		return again, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	again.Body = body
	return again, err == nil
}

func (r *Requester) now() time.Time {
	if r.Now == nil {
		return time.Now()
	}
	return r.Now()
}

func (r *Requester) wait(ctx context.Context, busy *Error) error {
	if r.Waits != nil {
		r.Waits(busy.Host, busy.RetryAfter)
	}
	if r.Wait != nil {
		return r.Wait(ctx, busy.RetryAfter)
	}
	timer := time.NewTimer(busy.RetryAfter)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *Requester) statusError(req *http.Request, resp *http.Response) *Error {
	e := &Error{Kind: KindStatus, Status: resp.StatusCode}
	e.setURL(req)
	if resp.StatusCode == http.StatusTooManyRequests {
		e.Kind = KindRateLimited
	}
	now := r.now()
	if after, ok := parseRetryAfter(resp.Header.Get("Retry-After"), now); ok {
		e.RetryAfter, e.RetryAt = after, now.Add(after)
	}
	return e
}

// RetryAfter is how long a response asks to wait (RFC 9110 §10.2.3); 0 where it does not say.
func RetryAfter(header http.Header, now time.Time) time.Duration {
	after, _ := parseRetryAfter(header.Get("Retry-After"), now)
	return after
}

// parseRetryAfter reads seconds or a date (RFC 9110 §10.2.3). "At once" is
// made a second, so that no server makes us hurry; a month is as good as ever.
func parseRetryAfter(value string, now time.Time) (time.Duration, bool) {
	const least, most = time.Second, 30 * 24 * time.Hour
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseUint(value, 10, 63); err == nil || errors.Is(err, strconv.ErrRange) {
		seconds = min(seconds, uint64(most/time.Second))
		return max(least, time.Duration(seconds)*time.Second), true
	}
	if date, err := http.ParseTime(value); err == nil {
		return min(most, max(least, date.Sub(now))), true
	}
	return 0, false
}

func (e *Error) setURL(req *http.Request) {
	if req != nil && req.URL != nil {
		e.URL, e.Host = ShownURL(req.URL.String()), req.URL.Host
	}
}
