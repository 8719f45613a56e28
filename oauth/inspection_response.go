package oauth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// readInspection reads the response to the question that kind.Inspect describes. What is
// not exactly a response to it is an *[UnansweredError].
func readInspection(response *guard.Response, kind provider.CredentialKind) (scopes.Grant, error) {
	host := response.URL.Host
	unclear := func(format string, args ...any) (scopes.Grant, error) {
		return scopes.Grant{}, &UnansweredError{Host: host, Status: response.Status, What: fmt.Sprintf(format, args...)}
	}
	if isHTML(response) { // of something in between: the server's own answers are JSON
		return unclear("a page of HTML (status %d)", response.Status)
	}
	switch response.Status {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return scopes.Grant{}, &RejectedError{Host: host, Status: response.Status}
	default:
		return unclear("status %d %s", response.Status, http.StatusText(response.Status))
	}
	members, err := jsonObject(response.Body)
	if err != nil {
		return unclear("what is no JSON object")
	}
	if kind.Inspect.Introspection {
		switch active, ok := members["active"].(bool); {
		case !ok:
			return unclear("JSON without a usable %q", "active") // RFC 7662 §2.2 requires it
		case !active:
			return scopes.Grant{}, &RejectedError{Host: host, Status: response.Status}
		}
	}
	grant, missing := readGrant(members, kind)
	if missing != "" {
		return unclear("JSON without a usable %q", missing)
	}
	return grant, nil
}

// readGrant takes the members that the provider's file names; missing is the first
// that is not there or of another type.
func readGrant(members map[string]any, kind provider.CredentialKind) (grant scopes.Grant, missing string) {
	ask := kind.Inspect
	grant.Kind, grant.KnownBy = kind.Kind, scopes.SelfInspection
	scopesName, expiresName := ask.Scopes, ask.Expires
	if ask.Introspection { // RFC 7662 §2.2 has names for them
		grant.KnownBy = scopes.Introspection
		scopesName, expiresName = orElse(scopesName, "scope"), orElse(expiresName, "exp")
	}
	granted, said := scopes.ReadList(members[scopesName])
	_, list := members[scopesName].([]any)
	if !said || !onlyStrings(members[scopesName]) || !list && !ask.Introspection { // RFC 7662 §2.2 has a string
		return scopes.Grant{}, scopesName
	}
	grant.Scopes = granted
	grant.ExpiresAt = moment(members[expiresName])
	for _, reach := range []struct {
		name string
		into *[]string
	}{{ask.Teams, &grant.Teams}, {ask.Organizations, &grant.Organizations}} {
		list, ok := members[reach.name].([]any)
		if !ok && members[reach.name] != nil { // no list: perhaps a limit that we cannot read
			return scopes.Grant{}, reach.name
		}
		*reach.into = words(list)
	}
	return grant, ""
}

func orElse(name, standard string) string {
	if name == "" {
		return standard
	}
	return name
}

// onlyStrings: a list that also has something else is not the one that is meant.
func onlyStrings(member any) bool {
	list, _ := member.([]any)
	for _, element := range list {
		if _, ok := element.(string); !ok {
			return false
		}
	}
	return true
}

// moment reads seconds since 1970 or RFC 3339; what is neither says nothing.
func moment(member any) time.Time {
	switch value := member.(type) {
	case json.Number:
		if seconds, err := value.Float64(); err == nil && seconds > 0 && seconds < maxMoment {
			return time.Unix(int64(seconds), 0).UTC()
		}
	case string:
		if t, err := time.Parse(time.RFC3339, value); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// maxMoment is the end of the year 9999 in seconds since 1970: beyond it JSON has no dates.
const maxMoment = 253402300799

// jsonObject decodes one object and nothing after it. Numbers stay text: identifiers
// can be longer than a float64 holds.
func jsonObject(body []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var members map[string]any
	if err := decoder.Decode(&members); err != nil {
		return nil, err
	}
	if members == nil || decoder.More() {
		return nil, fmt.Errorf("no JSON object")
	}
	return members, nil
}

func isHTML(response *guard.Response) bool {
	mediaType, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err == nil && mediaType == "text/html" {
		return true
	}
	return bytes.HasPrefix(bytes.TrimSpace(response.Body), []byte("<")) && !strings.Contains(mediaType, "json")
}
