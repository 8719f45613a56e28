package advice

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/ambit-auth/ambit/internal/template"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Denied is an error response of an authorization server (RFC 6749 §4.1.2.1, §5.2, RFC 7591
// §3.2.2), and what is known besides. The server's own sentence is for whoever shows the error;
// what is made here is what is true of all causes of its code.
type Denied struct {
	Stage       provider.Stage
	Renewal     bool // at the token endpoint: a login was renewed, and no code exchanged
	Own         bool // at the token endpoint: the client asked for a token of its own
	Device      bool // a login on another device (RFC 8628): its code was asked for, or its token
	Temporary   bool // the same request may succeed later
	Code        string
	Description string
	Provider    *provider.Provider // nil where none is known
	Server      provider.Server    // that denied it
	Login       string             // the command that logs in
}

// Rule is the first of the provider file's errors that the response fits.
func (d Denied) Rule() (rule provider.Denial, ok bool) {
	if d.Provider == nil {
		return provider.Denial{}, false
	}
	for _, known := range d.Provider.Voice().Denials {
		_, says := template.Search(known.Text, d.Description)
		if known.Stage == d.Stage && known.Code == d.Code && (known.Text == "" || says) {
			return known, true
		}
	}
	return provider.Denial{}, false
}

// Hint is what to do about it, in one line; "" where nothing is known that helps.
func (d Denied) Hint() string { return d.Step().String() }

// general is what is true of the code at any service.
func (d Denied) general() string {
	switch {
	case d.Temporary:
		return "the server's answer cannot be used; try again, or ask its operator"
	case d.Stage == provider.StageAuthorize:
		return d.atAuthorize()
	case d.Stage == provider.StageRegistration && d.Provider != nil:
		return RegisterClient(d.Provider, d.Provider.Client.RedirectTo())
	case d.Stage == provider.StageRegistration:
		return "name a client id that is registered there: " + clientSetting
	}
	return d.atToken()
}

// Step is the hint as a step: what it ends with is a command.
func (d Denied) Step() Step {
	rule, _ := d.Rule()
	step := Step{Text: cmp.Or(rule.Advice, d.general()), URL: rule.LinkAt(d.Server)}
	if text, logsIn := strings.CutSuffix(step.Text, ": "+d.Login); logsIn && d.Login != "" {
		step.Text, step.Command = text, d.Login
	}
	return step
}

const (
	clientSetting = "provider: {use: ..., client: {id: ...}}"
	operator      = "the server's operator can say why"
	wrongResource = "the server gives this client no token for the resource that the login names: compare resource in the manifest, or in the provider file, with what the server knows"
)

// atAuthorize is about RFC 6749 §4.1.2.1.
func (d Denied) atAuthorize() string {
	switch d.Code {
	case "access_denied":
		return "nothing was granted; to be asked again: " + d.Login
	case "unauthorized_client", "unsupported_grant_type", "unsupported_response_type":
		if d.Device {
			return d.withoutDevice()
		}
		return "the server's operator can allow the authorization code flow to this client"
	case "invalid_request":
		return "the server does not take the request as it is: compare the client's registration there, its redirect URI first, with client in the provider file"
	case "invalid_target":
		return wrongResource
	case "temporarily_unavailable":
		return "try again later: " + d.Login
	case "server_error":
		return "the server could not do it; where it does not say why, " + operator + ", or try again: " + d.Login
	}
	return ""
}

// atToken is about RFC 6749 §5.2 and RFC 8707 §2.
func (d Denied) atToken() string {
	switch d.Code {
	case "invalid_client":
		return d.client()
	case "unauthorized_client", "unsupported_grant_type":
		if d.Own {
			return "the server's operator can allow the grant client_credentials to this client"
		}
	}
	if d.Own && d.Code != "invalid_target" {
		return operator
	}
	switch d.Code {
	case "unauthorized_client", "unsupported_grant_type":
		if d.Renewal {
			return "the server does not let this client renew a login: its operator can allow that, or log in again: " + d.Login
		}
		if d.Device {
			return d.withoutDevice()
		}
		return "the server's operator can allow the authorization code grant to this client"
	}
	if d.Code == "invalid_target" {
		return wrongResource
	}
	if d.Renewal {
		return "log in again: " + d.Login
	}
	return "the code that the server gave is spent; for another one, log in again: " + d.Login
}

// withoutDevice is about a client that may not log in on another device.
func (d Denied) withoutDevice() string {
	return "the server's operator can allow this client to log in on another device; to log in without --device: " + d.Login
}

// client is about a client whose authentication failed: it is unknown, or has a secret, or another
// method of authentication is required.
func (d Denied) client() string {
	registered := d.Provider == nil || d.Provider.Client.IDFor(d.Server.Name) == ""
	if registered && d.Renewal {
		return "log in again, which registers a new client: " + d.Login
	} else if registered {
		return "the server does not accept a client that it registered itself: its operator can see why; or name one that is registered by hand: " + clientSetting
	}
	if id := d.Provider.Client.IDFor(d.Server.Name); provider.IsDocument(id) {
		return "the server does not accept the document " + id + ": compare it with client in the provider file, its redirect URIs first"
	}
	id := "the client id"
	if one := d.Provider.Client.ID; one != "" {
		id += " " + strconv.Quote(one)
	}
	if source := d.Provider.Client.SecretFor(d.Server.Name); d.Provider.Client.Proof == provider.ProofKey {
		return id + " is not registered there, or not with the key of " + source.String() + "; or the server wants assertion_audience: token_endpoint, or a key_id: see client in the provider file"
	} else if d.Provider.Client.Proof == provider.ProofAssertion {
		return id + " is not registered there, or not for what " + source.String() + " says of it, or that has expired: see client in the provider file"
	}
	if source := d.Provider.Client.SecretFor(d.Server.Name); source != (provider.SecretSource{}) {
		return id + " is not registered there, or its secret (" + source.String() + ") or its method of authentication is another: see client in the provider file"
	}
	return id + " is not registered there, or not as a public client, which has no secret; name one that is: " + clientSetting
}
