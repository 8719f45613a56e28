package oauth

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/ambit-auth/ambit/scopes/provider"
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

// send sends what carries a credential, and reads the response, in which what the veil is over does
// not stand. A nil client is one that trusts this machine alone. The error is an
// *[trust.UntrustedHostError] or a [metadata.Error].
func send(client *http.Client, req *http.Request, over text.Veil) (*guard.Response, error) {
	return sendBy(&guard.Requester{HTTP: orLoopback(client)}, req, over)
}

func sendBy(requests *guard.Requester, req *http.Request, over text.Veil) (*guard.Response, error) {
	response, err := requests.Do(req, maxResponse)
	if untrusted, ok := errors.AsType[*trust.UntrustedHostError](err); ok {
		return nil, untrusted // nothing was sent: no trouble of the network's
	}
	if err != nil {
		return nil, err
	}
	return veiled(response, over), nil
}

// veiled is a response in which what the veil is over does not stand.
func veiled(response *guard.Response, over text.Veil) *guard.Response {
	covered := *response
	covered.Header, covered.Body = over.Header(response.Header), over.Bytes(response.Body)
	return &covered
}

// postForm sends a form, with who asks in it.
func postForm(ctx context.Context, by *http.Client, who client.Client, endpoint string, form url.Values) (*guard.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	header := http.Header{"Content-Type": {formType}}
	who.Authenticate(header, form.Set)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header = header
	return send(by, req, credential.VeilOver(nil, who.Secret))
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

// A question is a request that carries a credential.
type question struct {
	method, target string
	header         http.Header
	body           []byte
	bearer         *credential.Secret // who asks (RFC 6750 §2.1); nil for nobody in that header
}

// inspectionOf is the request for which a provider's file has the form; usual is how those with this kind
// of credential carry it.
func inspectionOf(way provider.Inspection, usual provider.Sending, target string, secret credential.Secret) (question, error) {
	send := cmp.Or(way.Send, usual)
	q := question{method: cmp.Or(way.Method, http.MethodGet), target: target, header: make(http.Header)}
	for _, field := range way.Headers {
		q.header.Set(field.Name, field.Value)
	}
	if way.Body != "" {
		q.body = []byte(way.Body)
		q.header.Set("Content-Type", jsonType)
	}
	switch parameter := (url.Values{send.Parameter: {secret.Reveal()}}).Encode(); {
	case send.Member != "":
		q.body, _, _ = encodeMembers(map[string]string{send.Member: secret.Reveal()}, true) // text can be written
		q.header.Set("Content-Type", jsonType)
	case send.Parameter == "":
		q.header.Set(send.Field(secret.Reveal()))
	case q.method == http.MethodPost:
		q.body = []byte(parameter)
		q.header.Set("Content-Type", formType)
	default:
		u, err := url.Parse(target)
		if err != nil {
			return question{}, errNoRequest
		}
		if u.RawQuery != "" {
			parameter = u.RawQuery + "&" + parameter
		}
		u.RawQuery = parameter
		q.target = u.String()
	}
	return q, nil
}

func encodeMembers(members map[string]string, asJSON bool) (body []byte, contentType string, err error) {
	if asJSON {
		body, err = json.Marshal(members)
		return body, jsonType, err
	}
	form := make(url.Values, len(members))
	for name, value := range members {
		form.Set(name, value)
	}
	return []byte(form.Encode()), formType, nil
}

// errNoRequest quotes nothing of the URL.
var errNoRequest = errors.New("no request can be made of the URL at which the credential is inspected")

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)
