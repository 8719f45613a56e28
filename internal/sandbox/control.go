package sandbox

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	mux.HandleFunc("GET "+controlPath+"/state", func(w http.ResponseWriter, r *http.Request) {
		if !under(origin, r) {
			writeJSON(w, http.StatusForbidden, map[string]any{"ok": false, "error": "not under another name"})
			return
		}
		after, _ := strconv.Atoi(r.URL.Query().Get("after")) // 0: from the first on
		list, next, kinds := s.state(after)
		writeJSON(w, http.StatusOK, map[string]any{"ok": true, "requests": listOf(list), "next": next, "kinds": listOf(kinds)})
	})
}

// under reports whether a request came under the server's own name. Another name may lead to this
// machine too, and then a browser takes what that name's owner shows for the sandbox's own page.
func under(origin string, r *http.Request) bool { return originOf(origin) == "http://"+r.Host }

// state is what was served after so many requests, how many there are by now, and what goes wrong.
func (s *Sandbox) state(after int) (list []Request, next int, kinds []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next = s.forgotten + len(s.requests)
	list = slices.Clone(s.requests[min(max(after-s.forgotten, 0), len(s.requests)):])
	for _, m := range s.misbehaviors {
		word := m.kind
		if m.part != "" {
			word += "@" + m.part
		}
		kinds = append(kinds, word)
	}
	return list, next, kinds
}

type controlBody struct {
	Scopes []string `json:"scopes"` // of shrink
	Kinds  []string `json:"kinds"`  // of misbehave
	Add    []string `json:"add"`    // of advertise
	Remove []string `json:"remove"` // of advertise
}

//go:embed control.html
var controlHTML string

//go:embed control.css
var controlStyle string

//go:embed control.js
var controlScript string

var controlTemplate = sync.OnceValues(func() (*template.Template, error) { return template.New("control").Parse(controlHTML) })

// A controlPage is what the page at the root of the first server shows.
type controlPage struct {
	Nonce         string // of the style and the script
	Style         template.CSS
	Script        template.JS
	Servers, Keys []controlValue
	Login         string // the command that logs in here
	Misbehaviors  []controlKind
	Parts         []string
	Control       string
}

// A controlValue is something to copy.
type controlValue struct{ Name, Value string }

type controlKind struct{ Name, Does, Target string }

// withPage shows the page at the root to browsers; whoever else asks gets what next has.
// The page moves switches, so it stands under one name alone, and in nobody's frame.
func (s *Sandbox) withPage(origin string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodGet || r.URL.Path != "/" || !strings.Contains(r.Header.Get("Accept"), "text/html"):
			next.ServeHTTP(w, r)
		case !under(origin, r):
			http.Redirect(w, r, origin+"/", http.StatusFound)
		default:
			s.showPage(w)
		}
	})
}

func (s *Sandbox) showPage(w http.ResponseWriter) {
	ready := s.Ready()
	data := controlPage{Nonce: random(""), Style: template.CSS(controlStyle), Script: template.JS(controlScript), Parts: parts(), Control: controlPath}
	data.Servers = []controlValue{{"issuer", ready.Issuer}, {"API", ready.API}, {"gateway", ready.Gateway}, {"MCP", ready.MCP}}
	if ready.Manifest != "" {
		data.Servers = append(data.Servers, controlValue{"manifest", ready.Manifest})
		data.Login = "ambit login -f " + ready.Manifest
	}
	data.Keys = []controlValue{
		{"full", ready.Keys.Full},
		{"no_gateway", ready.Keys.NoGateway},
		{"read_only", ready.Keys.ReadOnly},
		{"expired", ready.Keys.Expired},
		{"other_region", ready.Keys.OtherRegion},
	}
	for _, name := range slices.Sorted(maps.Keys(ready.MoreKeys)) {
		data.Keys = append(data.Keys, controlValue{name, ready.MoreKeys[name]})
	}
	for _, k := range kinds() {
		data.Misbehaviors = append(data.Misbehaviors, controlKind{k.name, k.does, k.target})
	}
	t, err := controlTemplate()
	var text bytes.Buffer
	if err == nil {
		err = t.Execute(&text, data)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+data.Nonce+"'; script-src 'nonce-"+data.Nonce+"'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // not no-referrer: browsers then hide the Origin of a switch too
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(text.Bytes()) // the browser may have gone
}
