package oauth

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// readInspection reads the response to the question that kind.Inspect describes. What is
// not exactly a response to it is an *[UnansweredError]; note is told what is left out of one.
func readInspection(response *guard.Response, kind provider.CredentialKind, note func(string)) (scopes.Grant, error) {
	host := response.URL.Host
	unclear := func(format string, args ...any) (scopes.Grant, error) {
		return scopes.Grant{}, unclearInspection(response, format, args...)
	}
	if err := readInspectionStatus(response, whoAsks(kind.Inspect)); err != nil {
		return scopes.Grant{}, err
	}
	members, err := response.Object()
	if err != nil {
		return unclear("a body that %v", err)
	}
	if kind.Inspect.Introspection {
		switch active, said := members.Bool("active"); {
		case !said:
			return unclear("JSON without a usable %q", "active") // RFC 7662 §2.2 requires it
		case !active:
			return scopes.Grant{}, &RejectedError{Host: host, Status: response.Status}
		}
	}
	grant, missing := readGrant(members, kind)
	if missing != "" {
		return unclear("JSON without a usable %q", missing)
	}
	tellLeftOut(note, "what "+host+" says of the credential", members)
	return grant, nil
}

// An asker is who puts the question what a credential holds.
type asker int

const (
	askedByClient     asker = iota // RFC 7662 §2.1, by a client of the server
	askedByIntrospect              // the same, by the credential itself
	askedByItself                  // a resource that speaks of the credential with which it is read
)

func whoAsks(how provider.Inspection) asker {
	switch {
	case !how.AsItself():
		return askedByClient
	case how.Introspection:
		return askedByIntrospect
	}
	return askedByItself
}

// rejects reports whether a 401 is about the credential. It can be so only where that is what asks
// (RFC 6750 §3.1); and an introspection endpoint that does not let a token ask says so with the
// code of another cause, or asks for a client's own authentication (RFC 7662 §2.3).
func (a asker) rejects(response *guard.Response) bool {
	challenge, challenged := metadata.Bearer(response.Header)
	code := cmp.Or(challenge.ErrorCode(), refusal(introspectionEndpoint, response).Code)
	switch a {
	case askedByIntrospect:
		otherScheme := !challenged && len(response.Header.Values("WWW-Authenticate")) > 0
		return code == "invalid_token" || code == "" && !otherScheme
	case askedByItself:
		return code != "insufficient_scope" && code != "invalid_client" && code != "unauthorized_client"
	}
	return false
}

// readInspectionStatus is why a response says nothing of what the credential holds; nil where it
// may.
func readInspectionStatus(response *guard.Response, by asker) error {
	switch {
	case response.IsPage(): // of something in between: the server's own answers are JSON
		return unclearInspection(response, "%s (status %d)", guard.Page, response.Status)
	case response.Status == http.StatusOK:
		return nil
	case response.Status == http.StatusUnauthorized && by.rejects(response): // a 403 is of something in between, or of a server that knows who asks
		return &RejectedError{Host: response.URL.Host, Status: response.Status}
	}
	what := "status " + guard.StatusText(response.Status)
	if said := refusal(introspectionEndpoint, response); said.Code != "" {
		what += ", " + serversWords(said.Code, said.Description)
	}
	return unclearInspection(response, "%s", what)
}

func unclearInspection(response *guard.Response, format string, args ...any) error {
	return &UnansweredError{Host: response.URL.Host, Status: response.Status, What: fmt.Sprintf(format, args...)}
}

// readUserinfo reads the response of OpenID Connect Core §5.3.2, which may be signed, for whether
// the credential is accepted.
func readUserinfo(response *guard.Response) error {
	if err := readInspectionStatus(response, askedByItself); err != nil {
		return err
	}
	if members, err := response.Object(); err == nil && members.Text("sub") == "" {
		return unclearInspection(response, "JSON without a usable %q", "sub")
	} else if err != nil && !response.IsSigned() {
		return unclearInspection(response, "a body that %v", err)
	}
	return nil
}

// readGrant takes the members that the provider's file names; missing is the first
// that is not there or of another type. Of an introspection that says nothing of scopes, which
// are optional there (RFC 7662 §2.2), nothing is known.
func readGrant(members *guard.Object, kind provider.CredentialKind) (grant scopes.Grant, missing string) {
	ask := kind.Inspect
	grant.Kind, grant.KnownBy = kind.Kind, scopes.SelfInspection
	scopesName, expiresName := ask.Scopes, ask.Expires
	if ask.Introspection { // RFC 7662 §2.2 has names for them
		grant.KnownBy = scopes.Introspection
		scopesName, expiresName = introspectedScopes(ask), cmp.Or(expiresName, "exp")
		if !members.Has(scopesName) {
			return scopes.Grant{}, ""
		}
	}
	if !isWholeList(members, scopesName) && !(ask.Introspection && isText(members, scopesName)) { // RFC 7662 §2.2 has a string
		return scopes.Grant{}, scopesName
	}
	grant.Scopes = scopes.ListOf(members.List(scopesName), scopes.Set{})
	grant.ExpiresAt = members.Moment(expiresName)
	for _, limit := range ask.Reach {
		if members.Has(limit.Member) && !members.IsList(limit.Member) { // perhaps a limit that we cannot read
			return scopes.Grant{}, limit.Member
		}
	}
	grant.Reach, _ = reachIn(members, ask.Reach)
	return grant, ""
}

// introspectedScopes is the member of an introspection response that lists the scopes.
func introspectedScopes(ask provider.Inspection) string { return cmp.Or(ask.Scopes, "scope") }

// isWholeList reports whether a member is a list of words: one that also has something else than
// those and nulls is not the one that is meant, nor is a word in its place.
func isWholeList(members *guard.Object, name string) bool {
	if !members.IsList(name) {
		return false
	}
	some := slices.DeleteFunc(members.Elements(name), func(raw json.RawMessage) bool { return string(raw) == "null" })
	return len(members.List(name)) == len(some)
}

func isText(members *guard.Object, name string) bool {
	return members.Has(name) && !members.IsList(name) && members.List(name) != nil
}
