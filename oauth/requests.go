package oauth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"golang.org/x/oauth2"
)

const (
	// requestTimeout bounds one request and its response, as [metadata.FetchTimeout]
	// does that of a document: a person waits for it.
	requestTimeout = 10 * time.Second
	// tokenTimeout is longer: a token request that is given up half-way may have used
	// up a code or a refresh token. It is what the transport's own limits add up to,
	// and a bit.
	tokenTimeout = 20 * time.Second
	// maxResponse bounds a response in bytes. Honest ones have a few KiB.
	maxResponse = 1 << 20
)

// send sends what carries a credential, and reads the response. A nil client is one that
// trusts this machine alone. The error is an *[UntrustedHostError] or a [metadata.Error].
func send(client *http.Client, req *http.Request) (*guard.Response, error) {
	return sendBy(&guard.Requester{HTTP: orLoopback(client)}, req)
}

func sendBy(requests *guard.Requester, req *http.Request) (*guard.Response, error) {
	response, err := requests.Do(req, maxResponse)
	if untrusted, ok := errors.AsType[*UntrustedHostError](err); ok {
		return nil, untrusted // nothing was sent: no trouble of the network's
	}
	return response, err
}

func orLoopback(client *http.Client) *http.Client {
	if client != nil {
		return client
	}
	transport, err := guard.NewTransport(guard.Options{})
	if err != nil { // only a CA file can be wrong, and there is none
		return &http.Client{Transport: Trust{}.Guard(http.DefaultTransport)}
	}
	return &http.Client{Transport: Trust{}.Guard(transport)}
}

// withTokenClient hands x/oauth2 and go-oidc the client in the only way that they
// take one. The client follows no redirect: a code or a refresh token in a body would
// go along (RFC 9700 §4.12). It keeps no cookies, and reads no endless response.
func withTokenClient(ctx context.Context, base *http.Client) context.Context {
	client := *orLoopback(base)
	if client.Transport == nil {
		client.Transport = http.DefaultTransport
	}
	client.Transport = limited{client.Transport}
	client.Jar = nil
	client.Timeout = tokenTimeout
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return context.WithValue(ctx, oauth2.HTTPClient, &client)
}

// limited cuts every response after maxResponse bytes; half a JSON text is none.
type limited struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (l limited) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxResponse), resp.Body}
	return resp, nil
}
