package ambit

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// The questions that a caller has about an error, by [errors.Is].
var (
	// ErrNoCredential says that there is neither an API key nor a login: log in.
	ErrNoCredential = store.ErrNotFound
	// ErrNobody says that a login needs a person, and that nobody is there.
	ErrNobody = errors.New("nobody is here to log in")
	// ErrNoHome says that the environment names no directory in which to keep anything.
	ErrNoHome = errors.New("there is no home directory to keep anything in")
	// ErrNoManifest says that there is no manifest here or above.
	ErrNoManifest = errors.New("no " + ManifestName + " here or in a directory above")
)

// An UntrustedHostError names hosts that would have got a credential and may not: the user
// has to confirm them ([Options.TrustHosts], or a yes to [UI.Ask]).
type UntrustedHostError = trust.UntrustedHostError

// A ConsentElsewhereError is a server whose metadata names the page of another party for the
// consent (RFC 9700 §4.4). Hosts have the form of [provider.HostOf].
type ConsentElsewhereError struct {
	Consent, Issuer, Token string
	File                   string // the provider's, where that names an endpoint of another party; else ""
	Device                 bool   // the page is that of a code for another device, named with the code
}

// Other is the host that has to belong to the same service as that of the consent.
func (e *ConsentElsewhereError) Other() string {
	if e.File != "" || trust.SameParty(e.Issuer, e.Consent) {
		return e.Token // the issuer vouches for its own document alone
	}
	return e.Issuer
}

// Error says where the consent would be given, and where the code would go.
func (e *ConsentElsewhereError) Error() string {
	if e.File != "" {
		return fmt.Sprintf("%s sends you to %s to agree, and what you agree to there would go to %s", e.File, e.Consent, e.Token)
	}
	if e.Device {
		return fmt.Sprintf("%s sends you to %s to enter a code, and what you agree to there would go to %s", e.Issuer, e.Consent, e.Token)
	}
	return fmt.Sprintf("the metadata of %s sends you to %s to agree, and what you agree to there would go to %s", e.Issuer, e.Consent, e.Token)
}

// A MissingError says that scopes are missing: for a login that was not begun, those that
// cannot be requested; for a grant, those that were not granted.
type MissingError struct {
	Needs []scopes.Need             // in the manifest's order
	Plan  *Plan                     // why they are not requested; nil where they were
	Level scopes.Level              // the highest of theirs
	Gap   scopes.Gap                // the whole, where a grant was compared
	Cause *oauth.AuthorizationError // the server's refusal of the request (invalid_scope); else nil
}

// Error names the needs.
func (e *MissingError) Error() string {
	names := make([]string, len(e.Needs))
	for i := range e.Needs {
		names[i] = e.Needs[i].Name()
	}
	if e.Cause != nil {
		return e.Cause.Error()
	}
	return fmt.Sprintf("%s %s missing: %s", text.Plural(len(names), "scope"), text.Are(len(names)), strings.Join(names, ", "))
}

// Unwrap is the server's refusal, if there was one.
func (e *MissingError) Unwrap() error {
	if e.Cause == nil {
		return nil
	}
	return e.Cause
}

// A RefusedError says that a request was refused, and why.
type RefusedError struct{ Verdict diagnosis.Verdict }

// Error is the verdict in one line.
func (e *RefusedError) Error() string { return e.Verdict.Message }

// Missing are the scopes that the request lacks; none where they are not the cause.
func (e *RefusedError) Missing() []string { return e.Verdict.Missing }

// A ServerError names a server that cannot be used.
type ServerError struct {
	Named   string
	Known   []string // the provider's; nil where Named is a URL
	Issuer  string   // of a server that lacks a parameter, with the {words} of the provider's file; else ""
	Problem string   // what is wrong with a URL
	Err     error    // the same as an error
}

// Error names the server, without what may be secret in a URL.
func (e *ServerError) Error() string {
	switch {
	case e.Err != nil:
		return e.Err.Error()
	case e.Problem != "":
		return fmt.Sprintf("%q %s", guard.ShownURL(e.Named), e.Problem)
	}
	return fmt.Sprintf("unknown server %q", guard.ShownURL(e.Named))
}

// Unwrap returns the cause.
func (e *ServerError) Unwrap() error { return e.Err }

// An UnboundError says that a manifest names hosts for which the stored login was not
// obtained. Another login, which the user has to make, is for them too.
type UnboundError struct {
	Held     *Held // the login
	Manifest string
	Hosts    []string
}

// Error names the manifest and the hosts.
func (e *UnboundError) Error() string {
	return fmt.Sprintf("%s names %s, for which the stored login was not obtained", text.Line(e.Manifest), text.Line(strings.Join(e.Hosts, ", ")))
}

// An ElsewhereError says that there is no login for the server that was named, only one for
// another. It is an [ErrNoCredential].
type ElsewhereError struct{ Server, Other provider.Server }

// Error names both servers.
func (e *ElsewhereError) Error() string {
	return fmt.Sprintf("no credential is stored for server %s, only one for %s", text.Line(e.Server.Name), text.Line(e.Other.Name))
}

// Unwrap makes it an [ErrNoCredential].
func (e *ElsewhereError) Unwrap() error { return ErrNoCredential }

// An Account is one of several logins, as a person tells them apart.
type Account struct {
	Name string // under which it is kept; "" for the one without a name
	Told string // as the server calls it; "" where it did not say
}

// String is both.
func (a Account) String() string {
	switch {
	case a.Name == "" && a.Told == "":
		return "one without a name"
	case a.Name == "" || a.Told == "" || a.Name == a.Told:
		return text.Line(cmp.Or(a.Name, a.Told))
	}
	return fmt.Sprintf("%s (%s)", text.Line(a.Name), text.Line(a.Told))
}

// An AccountsError says that several accounts are logged in, and that nobody said which is meant.
type AccountsError struct {
	Named  string // what the options name, where that is what the server calls several of them; else ""
	Stored []Account
}

// Error names them.
func (e *AccountsError) Error() string {
	if e.Named != "" {
		return "several logins are of " + text.Line(e.Named) + ": " + Accounts(e.Stored)
	}
	return "several accounts are logged in, and none is the default here: " + Accounts(e.Stored)
}

// A NoAccountError says that there is no login of an account. It is an [ErrNoCredential].
type NoAccountError struct {
	Account string
	Folder  string    // of which it is the default; "" where somebody named it
	Stored  []Account // the others
}

// Error names the account, and where it was named.
func (e *NoAccountError) Error() string {
	of := ""
	if e.Folder != "" {
		of = ", the default of " + text.Line(e.Folder)
	}
	others := ""
	if len(e.Stored) > 0 {
		others = "; there is " + Accounts(e.Stored)
	}
	return fmt.Sprintf("no credential is stored for the account %s%s%s", text.Line(e.Account), of, others)
}

// Unwrap makes it an [ErrNoCredential].
func (e *NoAccountError) Unwrap() error { return ErrNoCredential }

// Accounts names several, for people.
func Accounts(accounts []Account) string {
	names := make([]string, len(accounts))
	for i, a := range accounts {
		names[i] = a.String()
	}
	return strings.Join(names, ", ")
}

// An UnreachedError says that no login was found where this process can look, and that the keyring
// of this machine is out of its reach, as that of a desktop is over SSH. It is an
// [ErrNoCredential].
type UnreachedError struct{ Err error }

// Error says where nobody could look, and why.
func (e *UnreachedError) Error() string {
	return "no credential is stored in the file store, and the keyring cannot be reached from here: " + text.Line(e.Err.Error())
}

// Unwrap makes it an [ErrNoCredential].
func (e *UnreachedError) Unwrap() error { return ErrNoCredential }

// A KindError says that an API key is of a kind that cannot do what is required.
type KindError struct {
	Held      *Held
	Operation scopes.Operation // that it can never call; zero where nobody can say what it holds
	Need      string           // for which the operation is required
	Program   string
	Err       error
}

// Error says what the key is, and what it cannot do.
func (e *KindError) Error() string {
	key := fmt.Sprintf("the key from %s is %s", text.Line(e.Held.Credential.Source), e.Held.described())
	if e.Need == "" {
		return key + ": nobody can say what it holds"
	}
	return fmt.Sprintf("%s: it can never call %s, for which %s needs %s", key, e.Operation, text.Line(e.Program), e.Need)
}

// Unwrap returns the cause.
func (e *KindError) Unwrap() error { return e.Err }

// An UnknownCredentialError says that the server does not know the credential, or any longer, and what the
// others said that were asked.
type UnknownCredentialError struct {
	Held    *Held
	Inquiry credential.Inquiry
	Err     error // the server's own rejection, an *[oauth.RejectedError]
}

// Error names the servers, and what is likely to have happened to a login that its server refused to
// renew before.
func (e *UnknownCredentialError) Error() string {
	what := "the key from " + text.Line(e.Held.Credential.Source)
	if e.Held.IsLogin() {
		what = "the login"
	}
	line := fmt.Sprintf("%s (%s) is unknown at server %s", what, e.Held.described(), e.Held.Server.Name)
	if rejected, ok := errors.AsType[*oauth.RejectedError](e.Err); ok && rejected.Expired {
		line = fmt.Sprintf("%s (%s) has expired, as server %s says", what, e.Held.described(), e.Held.Server.Name)
	}
	for _, o := range e.Inquiry {
		switch {
		case o.Server == e.Held.Server.Name:
		case o.Standing == credential.StandingKnown:
			line += ", and known at server " + o.Server
		case o.Standing == credential.StandingNotKnown:
			line += ", and at server " + o.Server
		case o.Standing == credential.StandingNoAnswer:
			line += fmt.Sprintf("; server %s did not answer: %s", o.Server, text.Line(o.Err.Error()))
		}
	}
	if lost, ok := errors.AsType[*credential.SessionLostError](e.Held.Unrenewable()); ok && lost.Likely != "" {
		line += "; " + lost.Likely
	}
	return line
}

// Unwrap returns the rejection.
func (e *UnknownCredentialError) Unwrap() error { return e.Err }

// A RenewalError says that a login is at its end and could not be renewed. Where it wraps a
// *[credential.SessionLostError] only another login helps; where it wraps a
// *[credential.RenewalDeniedError], a client that the server lets renew it. Otherwise the login
// stays, and may be renewed later.
type RenewalError struct {
	Held *Held
	Err  error
}

// Error is the reason.
func (e *RenewalError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *RenewalError) Unwrap() error { return e.Err }

// A NoLoginError says that nobody can log in at a server: its credentials are keys, which people make.
type NoLoginError struct{ Server provider.Server }

// Error names the server.
func (e *NoLoginError) Error() string {
	return text.Line(e.Server.Issuer) + " has no login: it gives keys alone"
}

// A NoClientError says that no client id is known for a server that offers no registration.
type NoClientError struct {
	Issuer   string
	Document string            // the client id that is the URL of a document, which the server does not read; else ""
	Redirect provider.Redirect // with which a client has to be registered there
}

// Error names the server.
func (e *NoClientError) Error() string {
	if e.Document != "" {
		return fmt.Sprintf("%s takes no client id that is the URL of a document (%s), and it offers no registration", text.Line(e.Issuer), text.Line(e.Document))
	}
	return fmt.Sprintf("no client id is known for %s, and it offers no registration", text.Line(e.Issuer))
}

// A StoreError says that no credential can be kept in a store.
type StoreError struct{ Err error }

// Error holds the reason.
func (e *StoreError) Error() string {
	return "no credential can be kept there: " + text.Line(e.Err.Error())
}

// Unwrap returns the reason.
func (e *StoreError) Unwrap() error { return e.Err }
