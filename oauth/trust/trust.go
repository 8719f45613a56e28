// Package trust binds a credential to hosts: a client that carries one stands on a transport
// that refuses every other.
package trust

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Policy says which hosts may get a credential: those in Known, and this machine
// itself (localhost, 127.0.0.0/8, ::1), at whose ports a credential is bound before it is
// sent: a session sees to that. The zero value trusts this machine alone. It
// never grows by what a file in a repository says. Safe for concurrent use while
// nobody changes Known.
type Policy struct {
	// Known are hosts in the form of [provider.HostOf]: those of the built-in provider,
	// and those that this user confirmed once (see [File]).
	Known []string
}

// An UntrustedHostError names hosts that would have got a credential and may not.
type UntrustedHostError struct {
	Hosts   []string // in the order in which they were named, each once
	NamedBy string   // who named them: a file, "the server's metadata"; "" where unknown
	Key     string   // the variable that holds the credential, where a file of the same party names that; else ""
}

// Error names the hosts and how to confirm them.
func (e *UntrustedHostError) Error() string {
	by := ""
	if e.NamedBy != "" {
		by = fmt.Sprintf(", named by %s,", text.Line(e.NamedBy))
	}
	n, what := len(e.Hosts), "a credential"
	if e.Key != "" {
		what = "the key in " + text.Line(e.Key)
	}
	return fmt.Sprintf("the %s %s%s %s not trusted with %s", text.Plural(n, "host"), text.Quoted(e.Hosts), by, text.Are(n), what)
}

// Allows reports whether host, in the form of [provider.HostOf], may get a credential.
func (t Policy) Allows(host string) bool {
	if host == "" {
		return false
	}
	return slices.Contains(t.Known, host) || guard.IsLoopback(host)
}

// Check returns an *[UntrustedHostError] that names all hosts that may not get a
// credential; namedBy says who named them.
func (t Policy) Check(hosts []string, namedBy string) error {
	var untrusted []string
	for _, host := range hosts {
		if !t.Allows(host) && !slices.Contains(untrusted, host) {
			untrusted = append(untrusted, host)
		}
	}
	if len(untrusted) == 0 {
		return nil
	}
	return &UntrustedHostError{Hosts: untrusted, NamedBy: namedBy}
}

// Guard returns a transport that sends nothing to a host outside the trust, nor in
// the clear over a network: such a request ends in an *[UntrustedHostError] or a
// *[metadata.Error] before a connection is made. Every client that carries a
// credential stands on it, so that no redirect and no foreign endpoint in a metadata
// document leads one away.
func (t Policy) Guard(next http.RoundTripper) http.RoundTripper {
	return &guardedTransport{trust: t, next: next}
}

type guardedTransport struct {
	trust Policy
	next  http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (g *guardedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := g.check(req); err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // RoundTrip closes it on errors too
		}
		return nil, err
	}
	return g.next.RoundTrip(req)
}

func (g *guardedTransport) check(req *http.Request) error {
	target := req.URL.String()
	if err := g.trust.Check([]string{provider.HostOf(target)}, ""); err != nil {
		return err
	}
	return guard.CheckURL(target)
}

// CloseIdleConnections lets [http.Client.CloseIdleConnections] reach the transport below.
func (g *guardedTransport) CloseIdleConnections() {
	if c, ok := g.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
