package sandbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/luikyv/go-oidc/pkg/goidc"
)

// A capture holds an answer back until it was looked at.
type capture struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (c *capture) Header() http.Header { return c.header }

func (c *capture) WriteHeader(status int) {
	if c.status == 0 {
		c.status = status
	}
}

func (c *capture) Write(text []byte) (int, error) {
	c.WriteHeader(http.StatusOK)
	return c.body.Write(text)
}

// send passes the answer on.
func (c *capture) send(w http.ResponseWriter) {
	for name, values := range c.header {
		w.Header()[name] = values
	}
	if c.status == 0 {
		c.status = http.StatusOK
	}
	w.WriteHeader(c.status)
	_, _ = w.Write(c.body.Bytes()) // the client may have gone
}

// maxForm bounds what an authorization server reads of a request.
const maxForm = 1 << 20

// ask lets the library answer. One at a time: it reads a grant, changes and saves it
// in steps, so that two refreshes at once would both win. Its paths have no final
// slash, for it builds others upon them.
func (sv *server) ask(w http.ResponseWriter, r *http.Request) *capture {
	answer := &capture{header: make(http.Header)}
	inner := r.Clone(r.Context())
	inner.URL.Path = strings.TrimSuffix(r.URL.Path, "/")
	inner.Body = http.MaxBytesReader(w, r.Body, maxForm)
	_ = inner.ParseForm() // read before the lock: a slow client may not hold it; the library tells what lacks
	sv.oneByOne.Lock()
	defer sv.oneByOne.Unlock()
	sv.library.ServeHTTP(answer, inner)
	return answer
}

// authorize serves the authorization endpoint and the answers from its page.
func (sv *server) authorize(w http.ResponseWriter, r *http.Request) {
	answer := sv.ask(w, r)
	if location := answer.header.Get("Location"); location != "" && sv.misbehaves(kindWrongIss) {
		answer.header.Set("Location", withForeignIssuer(location))
	}
	answer.send(w)
}

// withForeignIssuer adds the iss of a mix-up attack (RFC 9207 §1).
func withForeignIssuer(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return location
	}
	q := u.Query()
	q.Set("iss", "https://issuer.invalid")
	u.RawQuery = q.Encode()
	return u.String()
}

// passOn serves what the library answers well alone.
func (sv *server) passOn(w http.ResponseWriter, r *http.Request) { sv.ask(w, r).send(w) }

// token serves the token endpoint: the library's answer and the members that this
// provider has beside the standard ones.
func (sv *server) token(w http.ResponseWriter, r *http.Request) {
	if sv.misbehaves(kindNoClient) {
		writeText(w, http.StatusUnauthorized, "application/json", []byte(`{"error":"invalid_client"}`)) // RFC 6749 §5.2
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	byDevice := r.PostFormValue("grant_type") == string(goidc.GrantDeviceCode)
	if byDevice {
		if said := sv.pollDevice(r.PostFormValue("device_code")); said != nil {
			writeJSON(w, http.StatusBadRequest, said)
			return
		}
	}
	answer := sv.ask(w, r)
	var members map[string]any
	if json.Unmarshal(answer.body.Bytes(), &members) != nil {
		answer.send(w)
		return
	}
	if answer.status == http.StatusOK {
		sv.complete(members)
	} else if members["error"] == "expired_token" && !byDevice {
		// The library's word for a code whose grant is revoked belongs to the device
		// flow; RFC 6749 §5.2 has another.
		members["error"] = "invalid_grant"
	}
	answer.header.Set("Cache-Control", "no-store") // RFC 6749 §5.1; the library's own is weaker
	answer.body.Reset()
	_ = json.NewEncoder(&answer.body).Encode(members) // decoded from JSON: it encodes
	answer.send(w)
}

func (sv *server) complete(members map[string]any) {
	access, _ := members["access_token"].(string)
	b := sv.store.issued(access)
	members["scope"] = strings.Join(b.scopes, " ") // the library leaves an empty one out
	if sv.misbehaves(kindNoScope) {
		delete(members, "scope")
	}
	if token, ok := members["id_token"].(string); ok && sv.misbehaves(kindBadIDToken) {
		members["id_token"] = withForeignSignature(token)
	}
	names := sv.shape.Members
	members[names.Teams], members[names.Organizations] = listOf(b.teams), listOf(b.organizations)
	if sv.region == "" {
		members[names.Region], members[names.BaseURL] = b.region, sv.servers[b.region].origin
	}
}

// withForeignSignature leaves a JWT's content as it is (RFC 7515 §3.1), and turns the last
// part around: the form is that of a signature, and it fits nothing.
func withForeignSignature(token string) string {
	at := strings.LastIndex(token, ".") + 1
	signature := []byte(token[at:])
	slices.Reverse(signature)
	return token[:at] + string(signature)
}

// listOf makes an empty list of none, so that JSON shows [] and not null.
func listOf[T any](list []T) []T { return append([]T{}, list...) }

// rsaBits is the least that RFC 7518 §3.3 allows for RS256.
const rsaBits = 2048

// newSigningKeys makes the key that signs ID tokens. It is made when the first one is
// wanted: that takes a tenth of a second, and most runs need none.
func newSigningKeys() (goidc.JSONWebKeySet, error) {
	private, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return goidc.JSONWebKeySet{}, fmt.Errorf("signing key: %w", err)
	}
	return goidc.JSONWebKeySet{Keys: []goidc.JSONWebKey{{
		Key: private, KeyID: "sandbox-1", Algorithm: string(goidc.RS256), Use: string(goidc.KeyUsageSignature),
	}}}, nil
}

func (s *Sandbox) signingKeys(context.Context) (goidc.JSONWebKeySet, error) { return s.signing() }

// introspect serves RFC 7662 as this provider has it: a token asks about itself, as
// its own bearer, in a form (§2.1) or in JSON. Whatever is no living access token of
// this region gets the API's plain 401.
func (sv *server) introspect(w http.ResponseWriter, r *http.Request) {
	credential := bearerToken(r)
	b, ok := sv.store.bearer(credential, sv.region)
	switch asked := tokenIn(w, r); {
	case credential == "":
		sv.refuse(w, "no_credential", nil)
	case !ok || b.key != nil:
		sv.refuse(w, "bad_credential", nil)
	case asked == "":
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_request", "error_description": "token is required"})
	case asked != credential:
		sv.refuse(w, "not_own_token", nil)
	default:
		writeJSON(w, http.StatusOK, map[string]any{
			"active": true, "scope": strings.Join(b.scopes, " "), "client_id": sv.store.application(b.application).IDs[sv.name],
			"token_type": "Bearer", "sub": b.person.UUID, "iat": b.issued.Unix(), "exp": b.expires.Unix(),
			sv.shape.Members.Teams: listOf(b.teams), sv.shape.Members.Organizations: listOf(b.organizations),
		})
	}
}

// tokenIn reads the token that is asked about.
func tokenIn(w http.ResponseWriter, r *http.Request) string {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return r.PostFormValue("token")
	}
	var body struct{ Token string }
	if json.NewDecoder(r.Body).Decode(&body) != nil {
		return ""
	}
	return body.Token
}

// writeJSON answers with v and its length, so that a cut is noticed.
func writeJSON(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "cannot be written as JSON", http.StatusInternalServerError)
		return
	}
	writeText(w, status, "application/json", append(text, '\n'))
}
