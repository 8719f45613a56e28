package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Paths of RFC 8414 §3, OpenID Connect Discovery §4 and RFC 9728 §3.
const (
	authorizationServerPath = "/.well-known/oauth-authorization-server"
	openIDPath              = "/.well-known/openid-configuration"
	resourcePath            = "/.well-known/oauth-protected-resource"
)

// rehosted copies a document with every URL on its own host moved to origin.
func rehosted(document map[string]any, from, origin string) map[string]any {
	var move func(v any) any
	move = func(v any) any {
		switch v := v.(type) {
		case string:
			if rest, ok := strings.CutPrefix(v, from); ok && (rest == "" || rest[0] == '/') {
				return origin + rest
			}
		case []any:
			list := make([]any, len(v))
			for i := range v {
				list[i] = move(v[i])
			}
			return list
		}
		return v
	}
	moved := make(map[string]any, len(document))
	for name, v := range document {
		moved[name] = move(v)
	}
	return moved
}

// metadata serves what the authorization server says of itself.
func (sv *server) metadata(document map[string]any) http.HandlerFunc {
	from, _ := document["issuer"].(string)
	return func(w http.ResponseWriter, r *http.Request) {
		d := rehosted(document, from, sv.origin)
		sv.listScopes(d)
		sv.advertiseDevice(d)
		if sv.misbehaves(kindWrongIssuer) {
			d["issuer"] = "https://issuer.invalid"
		}
		writeDocument(w, r, d)
	}
}

// resourceDocument serves RFC 9728 for a resource and the issuer that guards it.
func (s *Sandbox) resourceDocument(resource, issuer string, foreign []string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		d := maps.Clone(s.shape.resource)
		d["resource"], d["authorization_servers"] = resource, []string{issuer}
		s.listScopes(d)
		if list, ok := d["scopes_supported"].([]any); ok && s.misbehaves(kindForeign) {
			for _, scope := range foreign {
				list = append(list, scope)
			}
			d["scopes_supported"] = list
		}
		writeDocument(w, r, d)
	}
}

// listScopes changes scopes_supported as [Sandbox.Advertise] and the kinds say.
func (s *Sandbox) listScopes(d map[string]any) {
	list, _ := d["scopes_supported"].([]any)
	s.mu.Lock()
	unlisted, listed := s.unlisted, s.listed
	s.mu.Unlock()
	list = slices.DeleteFunc(slices.Clone(list), func(v any) bool { scope, _ := v.(string); return contains(unlisted, scope) })
	for _, scope := range listed {
		list = append(list, scope)
	}
	d["scopes_supported"] = list
	switch {
	case s.misbehaves(kindNoList):
		delete(d, "scopes_supported")
	case s.misbehaves(kindEmptyList):
		d["scopes_supported"] = []any{}
	}
}

// writeDocument answers with an ETag, and with 304 to who has it already (RFC 9110
// §13.1.2). It says nothing of the document's life, as the live service does not.
func writeDocument(w http.ResponseWriter, r *http.Request, document map[string]any) {
	text, err := json.MarshalIndent(document, "", " ")
	if err != nil {
		http.Error(w, "cannot be written as JSON", http.StatusInternalServerError)
		return
	}
	sum := sha256.Sum256(text)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	writeText(w, http.StatusOK, "application/json", text)
}
