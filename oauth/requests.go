package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/trust"
)

const (
	// requestTimeout bounds one request and its response, as [guard.FetchTimeout]
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
// trusts this machine alone. The error is an *[trust.UntrustedHostError] or a [metadata.Error].
func send(client *http.Client, req *http.Request) (*guard.Response, error) {
	return sendBy(&guard.Requester{HTTP: orLoopback(client)}, req)
}

func sendBy(requests *guard.Requester, req *http.Request) (*guard.Response, error) {
	response, err := requests.Do(req, maxResponse)
	if untrusted, ok := errors.AsType[*trust.UntrustedHostError](err); ok {
		return nil, untrusted // nothing was sent: no trouble of the network's
	}
	return response, err
}

// tellingOfWaits says that a busy server is waited for; a nil tell is nobody who wants to know.
func tellingOfWaits(tell func(sentence string)) func(host string, d time.Duration) {
	return func(host string, d time.Duration) {
		if tell != nil {
			tell(fmt.Sprintf("%s is busy, and asks to wait %s", text.Line(host), d))
		}
	}
}

func orLoopback(client *http.Client) *http.Client {
	if client != nil {
		return client
	}
	return guard.ClientOn(trust.Policy{}.Guard(guard.TransportOf(nil)))
}
