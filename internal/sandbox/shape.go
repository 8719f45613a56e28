package sandbox

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed shape
var shapeFiles embed.FS

// A shape is who is imitated: everything that a stranger could tell this service by.
// It is read once, when the first sandbox starts, and never written.
type shape struct {
	Provider    string
	Cloud       string   // the authorization server that knows every region
	Regions     []string // the first is where people live unless told otherwise
	GatewayPath string   `yaml:"gateway_path"`
	MCPPath     string   `yaml:"mcp_path"`
	Redirect    struct {
		Host, Path string
		Ports      int
	}
	Authorize   map[string]string
	AccessLevel struct {
		Parameter, Project, Preselect string
	} `yaml:"access_level"`
	Members struct {
		Teams, Organizations, Region string
		BaseURL                      string `yaml:"base_url"`
	}
	Tokens struct {
		AccessPrefix   string `yaml:"access_prefix"`
		RefreshPrefix  string `yaml:"refresh_prefix"`
		AccessSeconds  int    `yaml:"access_seconds"`
		RefreshSeconds int    `yaml:"refresh_seconds"`
		ShortSeconds   int    `yaml:"short_seconds"`
		CodeSeconds    int    `yaml:"code_seconds"`
	}
	Implies       implication
	More          []string
	ForeignScopes []string `yaml:"foreign_scopes"`
	Application   string   // the one that the provider file names
	Applications  map[string]application
	Persons       []person // the first is at the browser, unless a login_hint names another
	Organizations []organization
	Projects      []project
	KeyKinds      map[string]keyKind `yaml:"key_kinds"`
	Keys          map[string]keyShape
	Refusals      map[string]refusal
	Gateway       struct {
		Scopes      []string
		Refused     refusal
		NoProduct   refusal `yaml:"no_product"`
		NotFound    refusal `yaml:"not_found"`
		WrongMethod refusal `yaml:"wrong_method"`
		Reply       string
	}
	MCP struct {
		Name, Version         string
		Refused, Insufficient refusal
	}

	Defaults  map[string]response `yaml:"-"`
	Endpoints []endpoint          `yaml:"-"`
	Models    models              `yaml:"-"`
	Tools     map[string]tool     `yaml:"-"`

	authorizationServer, openID, resource map[string]any
	groups                                map[string][]string // of scopes: advertised, privileged, hidden, internal
}

type application struct {
	Title           string
	IDs             map[string]string // client_id by server
	Pinned, Ceiling []string
}

type organization struct {
	ID, Name        string
	PersonalAPIKeys bool `yaml:"personal_api_keys"`
}

type project struct {
	ID                 int
	Name, Organization string
}

type keyKind struct {
	Prefix   string
	Unusable bool
}

type keyShape struct {
	Kind, Label        string
	Of, Scopes         []string
	Ending             string
	Teams              []int
	Organizations      []string
	Expired, Elsewhere bool
	NoProduct          bool `yaml:"no_product"`
}

// A refusal is an answer in the provider's own words.
type refusal struct {
	Status  int
	Headers map[string]string
	Body    string // JSON with {words} to fill in
}

type response struct {
	Status int
	Body   any
}

type endpoint struct {
	Operation string // method and path
	Status    int
	Scopes    []string // all of them
	Body      any
	AnyReach  bool   `yaml:"any_reach"`
	Inspects  string // kind of key that asks here about itself
	Refusal   string
}

// models is how the gateway speaks to the clients of models.
type models struct {
	Models    []string
	Lists     []modelList
	Languages []language
}

// A modelList is how the models are listed at a path.
type modelList struct {
	Path        string
	Whole, Each map[string]any
}

// A language is how one kind of client speaks to a model. Without a piece it knows no
// stream.
type language struct {
	Path         string // below the gateway's; {model}:action is one segment
	Stream       string // where a stream stands; "" where the body asks for it
	Whole, Error map[string]any
	Begin, End   []modelEvent
	Piece        modelEvent
	Last         string // what a stream says at its end
}

type modelEvent struct {
	Event string // its name; "" for none
	Data  map[string]any
}

type tool struct {
	Title          string         `json:"title"`
	RequiredScopes []string       `json:"required_scopes"`
	Annotations    map[string]any `json:"annotations"`
}

// theShape reads the embedded files once.
var theShape = sync.OnceValues(readShape)

func readShape() (*shape, error) {
	s := &shape{}
	var api struct {
		Defaults  map[string]response
		Endpoints []endpoint
	}
	var unadvertised struct {
		Privileged, Hidden []string
		Internal           []string `json:"internal_never_user_grantable"`
	}
	for _, file := range []struct {
		name string
		into any
	}{
		{"shape.yaml", s},
		{"endpoints.yaml", &api},
		{"models.yaml", &s.Models},
		{"mcp-tools.json", &s.Tools},
		{"unadvertised-scopes.json", &unadvertised},
		{"oauth-authorization-server.json", &s.authorizationServer},
		{"openid-configuration.json", &s.openID},
		{"oauth-protected-resource.json", &s.resource},
	} {
		if err := readShapeFile(file.name, file.into); err != nil {
			return nil, fmt.Errorf("shape: %s: %w", file.name, err)
		}
	}
	s.Defaults, s.Endpoints = api.Defaults, api.Endpoints
	s.groups = map[string][]string{
		"advertised": advertised(s.authorizationServer),
		"privileged": unadvertised.Privileged, "hidden": unadvertised.Hidden, "internal": unadvertised.Internal,
	}
	return s, nil
}

func readShapeFile(name string, into any) error {
	text, err := shapeFiles.ReadFile(path.Join("shape", name))
	if err != nil {
		return err
	}
	if path.Ext(name) == ".json" {
		return json.Unmarshal(text, into)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	return d.Decode(into)
}

// advertised lists scopes_supported without the plain words of OpenID Connect, which
// no key can hold.
func advertised(document map[string]any) []string {
	var scopes []string
	list, _ := document["scopes_supported"].([]any)
	for _, entry := range list {
		if scope, _ := entry.(string); strings.Contains(scope, ":") {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

// endpointPath is the path of an endpoint that the metadata names.
func (s *shape) endpointPath(member string) string {
	text, _ := s.openID[member].(string)
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Path
}

// scopesOf lists the scopes of a key.
func (s *shape) scopesOf(k keyShape) []string {
	scopes := append([]string{}, k.Scopes...)
	for _, group := range k.Of {
		for _, scope := range s.groups[group] {
			if strings.HasSuffix(scope, k.Ending) {
				scopes = append(scopes, scope)
			}
		}
	}
	return scopes
}

func (s *shape) applicationNames() []string { return slices.Sorted(maps.Keys(s.Applications)) }

// knows reports whether the service has that scope at all.
func (s *shape) knows(scope string) bool {
	for _, app := range s.Applications {
		if contains(app.Ceiling, scope) {
			return true
		}
	}
	for _, group := range s.groups {
		if contains(group, scope) {
			return true
		}
	}
	return false
}

// A person has an account at the service.
type person struct {
	ID        int
	UUID      string
	FirstName string `yaml:"first_name"`
	Email     string
}

// person is the one who is at the browser of an authorization request (OpenID Connect Core §3.1.2.1).
func (s *shape) person(loginHint string) person {
	for _, p := range s.Persons {
		if p.Email == loginHint {
			return p
		}
	}
	return s.Persons[0]
}

func (s *shape) project(id int) (project, organization, bool) {
	for _, p := range s.Projects {
		if p.ID == id {
			o, _ := s.organization(p.Organization)
			return p, o, true
		}
	}
	return project{}, organization{}, false
}

func (s *shape) organization(id string) (organization, bool) {
	for _, o := range s.Organizations {
		if o.ID == id {
			return o, true
		}
	}
	return organization{}, false
}

// An implication says which scope words cover others.
type implication struct {
	Read, Write string // endings: what ends in Write covers the same that ends in Read
	All         string // covers all but the internal ones
}

// covers reports whether held meets the need.
func (s *shape) covers(held []string, need string) bool {
	if contains(held, need) {
		return true
	}
	if stem, ok := strings.CutSuffix(need, s.Implies.Read); ok && contains(held, stem+s.Implies.Write) {
		return true
	}
	return contains(held, s.Implies.All) && !contains(s.groups["internal"], need)
}

// lacking is the first need that held does not meet; "" where none lacks.
func (s *shape) lacking(held, needs []string) string {
	for _, need := range needs {
		if !s.covers(held, need) {
			return need
		}
	}
	return ""
}

func contains(list []string, scope string) bool { return slices.Contains(list, scope) }

// both keeps of list what other has too, in the order of list, each once.
func both(list, other []string) []string {
	kept := []string{}
	for _, scope := range list {
		if contains(other, scope) && !contains(kept, scope) {
			kept = append(kept, scope)
		}
	}
	return kept
}

// without keeps of list what other lacks.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(scope string) bool { return contains(other, scope) })
}
