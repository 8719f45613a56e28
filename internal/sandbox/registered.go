package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"

	"github.com/luikyv/go-oidc/pkg/goidc"
)

// The registered are clients that made themselves known to one authorization server (RFC
// 7591). Each is an application named by its client_id. Safe for concurrent use.
type registered struct {
	mu      sync.Mutex
	clients map[string]*goidc.Client
	applied map[string]application
}

// application finds an application by its name: one of the shape, or one that was registered.
func (s *store) application(name string) application {
	if app, ok := s.shape.Applications[name]; ok {
		return app
	}
	s.registered.mu.Lock()
	defer s.registered.mu.Unlock()
	return s.registered.applied[name]
}

// registrar is where one authorization server keeps its registered clients. It
// implements [goidc.DCRManager].
type registrar struct{ *server }

// SaveClient implements [goidc.DCRManager].
func (r registrar) SaveClient(_ context.Context, c *goidc.Client) error {
	kept := *c
	all := &r.store.registered
	all.mu.Lock()
	defer all.mu.Unlock()
	all.clients[c.ID] = &kept
	all.applied[c.ID] = application{Title: c.Name, IDs: map[string]string{r.name: c.ID}, Ceiling: r.shape.groups["advertised"]}
	return nil
}

// Client implements [goidc.DCRManager].
func (r registrar) Client(_ context.Context, id string) (*goidc.Client, error) {
	all := &r.store.registered
	all.mu.Lock()
	defer all.mu.Unlock()
	if c := all.clients[id]; c != nil && all.applied[id].IDs[r.name] == id {
		found := *c
		return &found, nil
	}
	return nil, goidc.ErrNotFound
}

// DeleteClient implements [goidc.DCRManager].
func (r registrar) DeleteClient(_ context.Context, id string) error {
	all := &r.store.registered
	all.mu.Lock()
	defer all.mu.Unlock()
	delete(all.clients, id)
	delete(all.applied, id)
	return nil
}

// registers is the method with which whoever asks is registered, where that is not the client's
// choice; "" where nobody is.
func (sv *server) registers() goidc.AuthnMethod {
	for kind, method := range map[string]goidc.AuthnMethod{
		kindRegisters: goidc.AuthnMethodNone, kindBasic: goidc.AuthnMethodSecretBasic, kindPost: goidc.AuthnMethodSecretPost,
	} {
		if sv.misbehaves(kind) {
			return method
		}
	}
	return ""
}

// ForgetClients makes every registered client unknown, with what it was granted left as it is.
func (s *Sandbox) ForgetClients() {
	all := &s.store.registered
	all.mu.Lock()
	defer all.mu.Unlock()
	clear(all.clients)
}

// maxRegistration bounds what a registration may have, in bytes.
const maxRegistration = 64 << 10

// register serves the registration endpoint. The library knows one scope, which stands
// for all of them: what a client may have is for its ceiling to say.
func (sv *server) register(w http.ResponseWriter, r *http.Request) {
	method := sv.registers()
	if method == "" {
		// RFC 7591 §3.2.2 has no word for a server that registers nobody.
		writeJSON(w, http.StatusForbidden, map[string]any{"error": "access_denied", "error_description": "The sandbox registers no clients."})
		return
	}
	asked := make(map[string]any)
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRegistration))
	if err != nil || json.Unmarshal(body, &asked) != nil {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_client_metadata", "error_description": "not a JSON object"})
		return
	}
	scope := asked["scope"]
	asked["scope"] = clientScope
	if method != goidc.AuthnMethodNone {
		asked["token_endpoint_auth_method"] = method
	}
	if body, err = json.Marshal(asked); err != nil {
		panic(err) // it was JSON a moment ago
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	answer := sv.ask(w, r)
	var members map[string]any
	if json.Unmarshal(answer.body.Bytes(), &members) != nil || members["client_id"] == nil {
		answer.send(w)
		return
	}
	if members["scope"] = scope; scope == nil {
		delete(members, "scope")
	}
	writeJSON(w, answer.status, members)
}
