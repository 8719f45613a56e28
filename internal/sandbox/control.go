package sandbox

import (
	"encoding/json"
	"net/http"
)

// controlPath is under the first authorization server.
const controlPath = "/sandbox"

// controlRoutes let another process do what the methods of [Sandbox] do. They are not
// recorded, and no fault strikes them. A page in a browser cannot use them.
func (s *Sandbox) controlRoutes(mux *http.ServeMux, origin string) {
	do := func(pattern string, act func(controlBody) error) {
		mux.HandleFunc("POST "+controlPath+pattern, func(w http.ResponseWriter, r *http.Request) {
			var body controlBody
			var err error
			if r.ContentLength != 0 {
				err = json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&body)
			}
			if from := r.Header.Get("Origin"); from != "" && from != origin {
				writeJSON(w, http.StatusForbidden, map[string]any{"ok": false, "error": "not from a page of another site"})
				return
			}
			if err == nil {
				err = act(body)
			}
			if err != nil {
				writeJSON(w, http.StatusBadRequest, map[string]any{"ok": false, "error": err.Error()})
				return
			}
			writeJSON(w, http.StatusOK, map[string]any{"ok": true})
		})
	}
	do("/shrink", func(b controlBody) error { s.Shrink(b.Scopes...); return nil })
	do("/expire", func(controlBody) error { s.ExpireAll(); return nil })
	do("/forget", func(controlBody) error { s.ForgetClients(); return nil })
	do("/misbehave", func(b controlBody) error { return s.Misbehave(b.Kinds...) })
	do("/advertise", func(b controlBody) error { s.Advertise(b.Add, b.Remove); return nil })
	mux.HandleFunc("GET "+controlPath+"/requests", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"ok": true, "requests": listOf(s.Requests())})
	})
	mux.HandleFunc("GET "+controlPath+"/ready", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Ready()) })
}

type controlBody struct {
	Scopes []string `json:"scopes"` // of shrink
	Kinds  []string `json:"kinds"`  // of misbehave
	Add    []string `json:"add"`    // of advertise
	Remove []string `json:"remove"` // of advertise
}
