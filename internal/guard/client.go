package guard

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/ambit-auth/ambit/internal/files"
)

// Options say how HTTP is to be spoken. The zero value is safe.
type Options struct {
	// CAFile is a PEM file of certificate authorities to trust besides those of
	// the system. Empty for none.
	CAFile string
	// Timeout is for a whole request, reading the response included; 0 means
	// FetchTimeout.
	Timeout time.Duration
}

// NewClient makes the client for ambit's own requests. It honours HTTP_PROXY,
// HTTPS_PROXY and NO_PROXY (a loopback host is never reached through a proxy),
// speaks HTTP/2, keeps no cookies, and follows at most [maxRedirects] redirects,
// none to a lesser scheme or from elsewhere to this machine, and none at all when
// the request has a body or a credential. A CA file that cannot be used is an
// [Error] of KindUsage. The client is safe for concurrent use.
func NewClient(opt Options) (*http.Client, error) {
	transport, err := NewTransport(opt)
	if err != nil {
		return nil, err
	}
	transport.ResponseHeaderTimeout = headerTimeout
	client := ClientOn(transport)
	client.Timeout = cmp.Or(opt.Timeout, FetchTimeout)
	return client, nil
}

// ClientOn makes a client that stands on a transport of the caller's, such as one that sends
// a credential to trusted hosts alone; the rest is as [NewClient] has it.
func ClientOn(transport http.RoundTripper) *http.Client {
	return &http.Client{Transport: transport, CheckRedirect: checkRedirect, Timeout: FetchTimeout}
}

// ForwardingClientOn makes a client for the requests of another program on a transport of the
// caller's: it hands redirects on, and has no limit on the time of a response.
func ForwardingClientOn(transport http.RoundTripper) *http.Client {
	client := ClientOn(transport)
	client.Timeout = 0
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

// NewTransport makes the transport of [NewClient] alone, without a limit on the
// time of a response (opt.Timeout is not used): for forwarding requests whose response
// may take minutes. A transport follows no redirects.
func NewTransport(opt Options) (*http.Transport, error) {
	roots, err := trustedRoots(opt.CAFile)
	if err != nil {
		return nil, err
	}
	return transportOn(roots), nil
}

// TransportOf is what a client sends with: where it has no transport, Go's default, as
// [http.Client] has it; for no client at all, the transport of [NewTransport] without options.
func TransportOf(client *http.Client) http.RoundTripper {
	switch {
	case client == nil:
		return ownTransport()
	case client.Transport == nil:
		return http.DefaultTransport
	}
	return client.Transport
}

// ownTransport is one for all, so that they share connections.
var ownTransport = sync.OnceValue(func() http.RoundTripper { return transportOn(nil) })

// transportOn trusts these authorities; nil means the system's.
func transportOn(roots *x509.CertPool) *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &http.Transport{
		Proxy:                  proxyOf,
		OnProxyConnectResponse: proxyRefuses,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    tlsTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		ForceAttemptHTTP2:      true,
	}
}

// proxyRefuses names a proxy that does not connect: its status alone would pass for the
// server's.
func proxyRefuses(_ context.Context, proxy *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return fmt.Errorf("the proxy %s answered %s", proxy.Host, StatusText(resp.StatusCode))
}

// trustedRoots is nil, meaning the system's, unless a file is to be added.
func trustedRoots(caFile string) (*x509.CertPool, error) {
	if caFile == "" {
		return nil, nil
	}
	pem, err := files.Read(caFile, files.Rule{Limit: maxCAFile, Links: true})
	if err != nil {
		return nil, &Error{Kind: KindUsage, Err: fmt.Errorf("the CA file %q cannot be used: %w", caFile, files.Pathless(err))}
	}
	roots, err := x509.SystemCertPool()
	if err != nil { // no system pool: what the user gave is then all there is
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, &Error{Kind: KindUsage, Err: fmt.Errorf("the CA file %q cannot be used: it holds no PEM certificate", caFile)}
	}
	return roots, nil
}
