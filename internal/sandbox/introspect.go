package sandbox

import (
	"encoding/json"
	"mime"
	"net/http"
	"strings"
)

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
			"token_type": "Bearer", "sub": sv.shape.Person.UUID, "iat": b.issued.Unix(), "exp": b.expires.Unix(),
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
