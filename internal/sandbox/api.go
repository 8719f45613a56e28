package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Words of a path that are compared with what exists.
const (
	projectWord      = "project"
	organizationWord = "organization"
)

// apiRoutes serves the endpoints of the shape; what is not among them is refused as
// the service does it.
func (sv *server) apiRoutes(mux *http.ServeMux) {
	paths := http.NewServeMux()
	known := map[string]bool{}
	for _, e := range sv.shape.Endpoints {
		method, path, _ := strings.Cut(e.Operation, " ")
		part := partAPI
		if e.Inspects != "" {
			part = partInspect
		}
		mux.Handle(method+" "+path+"{$}", sv.serving(part, sv.endpoint(e, method, path)))
		if !known[path] {
			known[path] = true
			paths.HandleFunc(path+"{$}", func(w http.ResponseWriter, _ *http.Request) { sv.refuse(w, "wrong_method", nil) })
		}
	}
	paths.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { sv.refuse(w, "not_found", nil) })
	mux.Handle("/", sv.serving(partAPI, paths))
}

// refuse answers with a refusal of the shape, its words filled in.
func (sv *server) refuse(w http.ResponseWriter, name string, words map[string]string) {
	sv.shape.Refusals[name].write(w, words, sv.resource)
}

// write fills in the words, escaped as JSON, and answers.
func (f refusal) write(w http.ResponseWriter, words map[string]string, metadata string) {
	body := f.Body
	for name, word := range words {
		text, _ := json.Marshal(word) // a string encodes
		body = strings.ReplaceAll(body, "{"+name+"}", string(text[1:len(text)-1]))
	}
	for name, value := range f.Headers {
		value = strings.ReplaceAll(value, "{metadata}", metadata)
		w.Header().Set(name, strings.ReplaceAll(value, "{scope}", words["scope"]))
	}
	writeText(w, f.Status, "application/json", []byte(body))
}

// endpoint serves one operation: who is it, may they, and the example answer.
func (sv *server) endpoint(e endpoint, method, path string) http.HandlerFunc {
	answer := sv.shape.Defaults[method]
	if e.Body != nil {
		answer.Body = e.Body
	}
	if e.Status != 0 {
		answer.Status = e.Status
	}
	names := pathWords(path)
	return func(w http.ResponseWriter, r *http.Request) {
		credential := bearerToken(r)
		b, ok := sv.store.bearer(credential, sv.region)
		switch {
		case credential == "":
			sv.refuse(w, "no_credential", nil)
			return
		case !ok || e.Inspects != "" && b.kind != e.Inspects:
			sv.refuse(w, "bad_credential", nil)
			return
		}
		words := sv.words(r, names, b)
		if refused, with := sv.judge(e, b, words, names); refused != "" {
			sv.refuse(w, refused, with)
			return
		}
		if answer.Status == http.StatusNoContent {
			w.WriteHeader(answer.Status)
			return
		}
		writeJSON(w, answer.Status, fill(answer.Body, words))
	}
}

// pathWords lists the words in braces of a path template.
func pathWords(path string) []string {
	var names []string
	for _, segment := range strings.Split(path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}

// judge is the order in which the API decides: the credential's reach, the scopes,
// then what no scope can fix. It returns the refusal's name and its words.
func (sv *server) judge(e endpoint, b bearer, words map[string]any, names []string) (string, map[string]string) {
	switch {
	case slices.Contains(names, projectWord):
		if refused, with := sv.judgeProject(b, words[projectWord]); refused != "" {
			return refused, with
		}
	case slices.Contains(names, organizationWord):
		if _, ok := sv.shape.organization(words[organizationWord].(string)); !ok {
			return "not_found", nil
		}
	}
	if !slices.Contains(names, projectWord) && len(b.teams) > 0 && !e.AnyReach && e.Inspects == "" {
		return "project_based_only", nil
	}
	if organization, _ := words["reached_organization"].(string); organization != "" &&
		len(b.organizations) > 0 && !slices.Contains(b.organizations, organization) {
		return "other_organization", map[string]string{organizationWord: organization}
	}
	if scope := sv.shape.lacking(b.scopes, e.Scopes); scope != "" {
		return "missing_scope", map[string]string{"scope": scope}
	}
	return e.Refusal, nil
}

func (sv *server) judgeProject(b bearer, id any) (string, map[string]string) {
	number, _ := id.(int)
	p, o, ok := sv.shape.project(number)
	switch {
	case !ok:
		return "not_found", nil
	case len(b.teams) > 0 && !slices.Contains(b.teams, p.ID):
		return "other_project", map[string]string{projectWord: strconv.Itoa(p.ID)}
	case b.key != nil && !o.PersonalAPIKeys:
		return "organization_forbids", map[string]string{organizationWord: o.Name}
	}
	return "", nil
}

// words are what a body can mention: those of the path, and what the sandbox knows of
// the person, the credential and what the path names.
func (sv *server) words(r *http.Request, names []string, b bearer) map[string]any {
	s := sv.shape
	home := s.Organizations[0]
	words := map[string]any{
		"person_id": b.person.ID, "person_uuid": b.person.UUID, "person_name": b.person.FirstName, "person_email": b.person.Email,
		"home_organization": home.ID, "home_organization_name": home.Name, "project_key": sv.keyNamed("project"),
	}
	for _, name := range names {
		words[name] = sv.current(name, r.PathValue(name))
	}
	if id, ok := words[projectWord].(int); ok {
		p, o, _ := s.project(id)
		words["project_name"], words["project_organization"], words["reached_organization"] = p.Name, o.ID, o.ID
	}
	if id, ok := words[organizationWord].(string); ok {
		o, _ := s.organization(id)
		words["organization_name"], words["reached_organization"] = o.Name, id
	}
	if k := b.key; k != nil {
		words["key_id"], words["key_label"], words["key_mask"] = k.id, k.shape.Label, k.mask()
		words["key_scopes"], words["key_teams"], words["key_organizations"] = listOf(b.scopes), listOf(b.teams), listOf(b.organizations)
	}
	return words
}

// current resolves what the API calls @current, and reads numbers as such.
func (sv *server) current(name, value string) any {
	switch {
	case value == "@current" && name == projectWord:
		return sv.shape.Projects[0].ID
	case value == "@current" && name == organizationWord:
		return sv.shape.Organizations[0].ID
	}
	if n, err := strconv.Atoi(value); err == nil && name != organizationWord {
		return n
	}
	return value
}

// fill copies an example body, each string "{word}" replaced by the word's value.
func fill(v any, words map[string]any) any {
	switch v := v.(type) {
	case string:
		if name, ok := strings.CutPrefix(v, "{"); ok {
			if value, ok := words[strings.TrimSuffix(name, "}")]; ok {
				return value
			}
		}
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = fill(v[i], words)
		}
		return list
	case map[string]any:
		filled := make(map[string]any, len(v))
		for name := range v {
			filled[name] = fill(v[name], words)
		}
		return filled
	}
	return v
}
