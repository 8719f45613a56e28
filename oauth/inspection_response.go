package oauth

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	reader "github.com/ambit-auth/ambit/internal/refusal"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// readInspection reads the response to one of the ways in which a credential is inspected. What is
// not exactly a response to it is an *[UnansweredError]. Where it does not say what the credential
// holds, and need not, KnownBy is empty. asked is what a login asked for.
func (i *Inspector) readInspection(response *guard.Response, way provider.Inspection, kind provider.CredentialKind, asked scopes.Set) (told, error) {
	said := told{Grant: scopes.Grant{Kind: kind.Kind}}
	if err := judged(response, way); err != nil {
		return told{}, err
	}
	if fits(way.Denied, response) {
		return said, nil
	}
	r, err := inspectedBy(response, way)
	if err != nil {
		return told{}, err
	}
	if way.Introspection {
		switch active, is := r.members.Bool("active"); {
		case !is:
			return told{}, unclearInspection(response, "JSON without a usable %q", "active") // RFC 7662 §2.2 requires it
		case !active:
			return told{}, &RejectedError{Host: response.URL.Host, Status: response.Status}
		}
	}
	if missing := r.grant(&said.Grant, kind, &i.Provider.Scopes, asked); missing != "" {
		what := "JSON"
		if missing == way.Scopes.Header {
			what = "a response"
		}
		return told{}, unclearInspection(response, "%s without a usable %q", what, missing)
	}
	at := momentOf(response, i.now())
	if said.ExpiresAt = r.end(at.now); !said.ExpiresAt.IsZero() && !said.ExpiresAt.After(at.now.Add(-at.ahead)) { // by the server's clock
		return told{}, &RejectedError{Host: response.URL.Host, Status: response.Status, Expired: true}
	}
	said.account = firstName(way.Account.Find(response.Header, r.body))
	tellLeftOut(i.Note, "what "+response.URL.Host+" says of the credential", r.members)
	return said, nil
}

// judged is why a response says nothing of what the credential holds, by the signs that the
// provider's file knows, and by its status; nil where it may, or a sign says that it need not.
func judged(response *guard.Response, way provider.Inspection) error {
	verdict := readInspectionStatus(response, whoAsks(way))
	switch {
	case response.IsPage():
		return verdict
	case !way.ReadsBody() && scopes.Succeeded(response.Status):
		verdict = nil
	}
	switch {
	case fits(way.Expired, response):
		return &RejectedError{Host: response.URL.Host, Status: response.Status, Expired: true}
	case fits(way.Unknown, response):
		return &RejectedError{Host: response.URL.Host, Status: response.Status}
	case fits(way.Denied, response):
		return nil
	}
	return verdict
}

// explained is why a response says nothing of what the credential holds, in the light of the errors that
// the provider's file knows: the inspection of a credential by itself is refused as any request is.
func (i *Inspector) explained(err error, response *guard.Response, way provider.Inspection, at provider.Server) error {
	unclear, is := errors.AsType[*UnansweredError](err)
	if !is || way.Introspection {
		return err
	}
	said := reader.Read(i.Provider, way.Base(), reader.Vocabulary{}, reader.Response{Status: response.Status, Header: response.Header, Body: response.Body})
	switch {
	case said.Means(provider.MeaningRejected):
		return &RejectedError{Host: response.URL.Host, Status: response.Status}
	case said.Means(provider.MeaningNotAScopeProblem), said.Means(provider.MeaningMissingScope):
		unclear.Advice, unclear.Link = said.Entry.AdviceFor(said.Caught), said.Entry.LinkAt(at, said.Caught)
	}
	return unclear
}

// failedInside is the error that a response of success has in its body; nil for none. One that lists what
// is held is believed, unless the provider's file says that the credential is rejected.
func (i *Inspector) failedInside(response *guard.Response, way provider.Inspection, lists bool) error {
	said := reader.Response{Status: response.Status, Header: response.Header, Body: response.Body}
	switch {
	case !scopes.Succeeded(response.Status) || !reader.Fails(i.Provider, way.Base(), said):
		return nil
	case reader.Read(i.Provider, way.Base(), reader.Vocabulary{}, said).Means(provider.MeaningRejected):
		return &RejectedError{Host: response.URL.Host, Status: response.Status}
	case lists, reader.TellsByHead(i.Provider, way.Base(), response.Status, response.Header): // a remark on what the response leaves out
		return nil
	}
	return unclearInspection(response, "an error with status %d", response.Status)
}

// fits reports whether a response has one of the signs.
func fits(signs []provider.Sign, response *guard.Response) bool {
	if len(signs) == 0 {
		return false
	}
	body := response.Value()
	return slices.ContainsFunc(signs, func(s provider.Sign) bool { return s.Fits(response.Status, response.Header, body) })
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

// An inspected is a response that says what a credential holds.
type inspected struct {
	way     provider.Inspection
	members *guard.Object // of its body, and what was found at a place, by the place's name
	body    any
	lists   bool // it names scopes
}

// inspectedBy reads a response as far as the file says what stands in it.
func inspectedBy(response *guard.Response, way provider.Inspection) (*inspected, error) {
	r := &inspected{way: way, members: guard.NoMembers()}
	if way.ReadsBody() {
		members, err := response.Object()
		r.body = response.Value()
		switch {
		case err == nil:
			r.members = members
		case r.body == nil || way.Introspection || len(way.Reach) > 0:
			return nil, unclearInspection(response, "a body that %v", err)
		}
	}
	found := make(map[string]any)
	for _, place := range []provider.Place{scopesPlace(way), way.Expires} {
		if place.Given() && place.Leads(response.Header, r.body) {
			found[place.String()] = one(place.Find(response.Header, r.body))
		}
	}
	r.members = r.members.With(found)
	_, r.lists = found[scopesPlace(way).String()]
	return r, nil
}

// one is the value at a place; of several, a list of them and of what the lists among them hold.
func one(found []any) any {
	if len(found) == 1 {
		return found[0]
	}
	list := []any{}
	for _, value := range found {
		if inner, ok := value.([]any); ok {
			list = append(list, inner...)
		} else {
			list = append(list, value)
		}
	}
	return list
}

// grant takes what stands in the places that the provider's file names; missing is the first
// that is not there or of another type. Of an introspection that says nothing of scopes, which
// are optional there (RFC 7662 §2.2), nothing is known; nor of a kind that has none, or where the file
// names no place of them: the response says then that the credential is good, and no more. asked is what a
// login asked for.
func (r *inspected) grant(grant *scopes.Grant, kind provider.CredentialKind, facts *provider.ScopeFacts, asked scopes.Set) (missing string) {
	place := scopesPlace(r.way)
	optional := r.way.Introspection || r.way.AbsentUnknown || !place.Given()
	switch name := place.String(); {
	case kind.Permissions, !r.lists && optional:
	case !r.lists || !isWholeList(r.members, name) && !isText(r.members, name):
		return name
	default:
		grant.KnownBy = scopes.SelfInspection
		if r.way.Introspection {
			grant.KnownBy = scopes.Introspection
		}
		grant.Scopes = facts.Granted(r.members.List(name), asked)
		grant.Unsaid = facts.Unsaid(grant.Scopes, asked)
	}
	for _, limit := range r.way.Reach {
		if r.members.Has(limit.Member) && !r.members.IsList(limit.Member) { // perhaps a limit that we cannot read
			return limit.Member
		}
	}
	grant.Reach, _ = reachIn(r.members, r.way.Reach)
	return ""
}

// end is when the credential ends. A number in the place of the provider's file that is too small for
// a moment is how many seconds are left: services say both, under names of their own.
func (r *inspected) end(now time.Time) time.Time {
	if r.way.Introspection && !r.way.Expires.Given() { // RFC 7662 §2.2 has a name for it
		return r.members.Moment("exp")
	}
	end := r.members.Moment(r.way.Expires.String())
	if left := end.Sub(time.Unix(0, 0)); !end.IsZero() && left < maxLifetime {
		return now.Add(left)
	}
	return end
}

// scopesPlace is where a response lists the scopes.
func scopesPlace(way provider.Inspection) provider.Place {
	if way.Introspection && !way.Scopes.Given() { // RFC 7662 §2.2
		return provider.Place{Path: provider.Path{{Name: "scope"}}}
	}
	return way.Scopes
}

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
