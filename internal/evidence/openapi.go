package evidence

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/pb33f/go-yaml"
	"github.com/pb33f/libopenapi/datamodel"
	"github.com/pb33f/libopenapi/datamodel/low/base"
	openapi "github.com/pb33f/libopenapi/datamodel/low/v3"
)

// OpenAPI reads OpenAPI documents of version 3, as JSON or YAML.
type OpenAPI struct {
	Base    string // name of the base on which the operations stand; "" for [DefaultBase]
	BaseURL string // of that base: what a document's server adds to it begins each path; "" takes paths as written
	// Fetch gets a remote document that a path refers to ($ref). nil: none is ever fetched,
	// and a note names what was left out.
	Fetch func(url string) ([]byte, error)
	// Open reads a file that a document refers to that is a file itself. The path is relative
	// to the document's folder, has slashes, and does not lead out of that folder; that no
	// link does is for Open to see to. What it cannot read is left out, and a note names it.
	// nil: none is ever read.
	Open func(path string) ([]byte, error)
}

// Read reads the document: which scopes each operation needs, by its own security
// or else the document's (OpenAPI 3.1 §4.8.30). Requirements in the list are
// alternatives, the schemes within one are all needed, {} and [] need nothing. Scopes
// count on a scheme of any type. A requirement without scopes, on a scheme that never
// carries any, is for another kind of credential (a session cookie, say): it is left out
// where a requirement with scopes stands beside it.
//
// A security that is not of the form that it should have is an error, for read as it stands
// it would need nothing. Where none of its words is a scope, the operation says nothing.
//
// Only what says something of security is looked at: a schema that refers to itself, or
// to another document, does not matter. An operation from another document has its place
// there. The error is an *[Error].
func (o OpenAPI) Read(file string, r io.Reader) (audit.Evidence, error) {
	text, err := read(file, r, MaxOpenAPI)
	if err != nil {
		return audit.Evidence{}, err
	}
	d := &document{OpenAPI: o, file: file, carriers: make(map[string]bool), origins: make(map[*yaml.Node]audit.Where)}
	if err := d.parse(text); err != nil {
		return audit.Evidence{}, err
	}
	d.schemes()
	d.operations()
	if more := d.noted - maxNotes; more > 0 {
		d.evidence.Notes = append(d.evidence.Notes, audit.Note{Where: audit.Where{File: d.file}, Message: fmt.Sprintf("and %d more of the kind", more)})
	}
	d.evidence.Words = scopes.NewSet(d.evidence.Words...).Sorted().Slice()
	return d.evidence, nil
}

type document struct {
	OpenAPI
	file     string
	model    *openapi.Document
	carriers map[string]bool // schemes that carry scopes
	evidence audit.Evidence
	noted    int
	ops      []operation
	origins  map[*yaml.Node]audit.Where // of the operations
	failed   *Error                     // the first that a [linker] met
}

// parse builds the library's model of what a [linker] leaves of the document. A document
// that makes the library panic is a broken document.
func (d *document) parse(text []byte) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = d.incomprehensible()
		}
	}()
	config := &datamodel.DocumentConfiguration{
		Logger:                     slog.New(slog.DiscardHandler),
		SkipExternalRefResolution:  true,
		SkipMetadataCollection:     true,
		SkipCircularReferenceCheck: true, // the cycles are in schemas, which are gone by then
		ExcludeExtensionRefs:       true,
	}
	info, err := datamodel.ExtractSpecInfoWithConfig(text, config)
	if err != nil && (info == nil || info.RootNode == nil || len(info.RootNode.Content) == 0) {
		return d.broken(err.Error(), text)
	}
	top := real(info.RootNode.Content[0])
	if err := d.checkVersion(top, text); err != nil {
		return err
	}
	l := &linker{document: d}
	info.RootNode.Content[0] = l.link(l.begin(top, len(text)))
	if d.failed != nil {
		return d.failed
	}
	model, err := openapi.CreateDocumentFromConfig(info, config)
	switch {
	case model == nil || err != nil && model.Paths.Value == nil:
		return d.incomprehensible()
	case err != nil:
		d.note(audit.Where{File: d.file}, "not all of it is understood")
	}
	d.model = model
	return nil
}

// maxNotes bounds how much of one document is noted.
const maxNotes = 50

func (d *document) note(where audit.Where, message string) {
	if d.noted++; d.noted > maxNotes {
		return
	}
	d.evidence.Notes = append(d.evidence.Notes, audit.Note{Where: where, Message: text.Line(message)})
}

// schemes notes which security schemes carry scopes, and the scopes that OAuth flows
// list.
func (d *document) schemes() {
	components := d.model.Components.Value
	if components == nil || components.SecuritySchemes.Value == nil {
		return
	}
	for name, s := range components.SecuritySchemes.Value.FromOldest() {
		scheme := s.Value
		if scheme == nil {
			continue
		}
		d.carriers[name.Value] = scheme.Type.Value == "oauth2" || scheme.Type.Value == "openIdConnect"
		flows := scheme.Flows.Value
		if flows == nil {
			continue
		}
		for _, f := range []*openapi.OAuthFlow{flows.Implicit.Value, flows.Password.Value, flows.ClientCredentials.Value, flows.AuthorizationCode.Value, flows.Device.Value} {
			if f == nil || f.Scopes.Value == nil {
				continue
			}
			for word := range f.Scopes.Value.KeysFromOldest() {
				if scopes.CheckScope(word.Value) == nil {
					d.evidence.Words = append(d.evidence.Words, word.Value)
				}
			}
		}
	}
}

// An operation is one of the document, with what it requires still by scheme.
type operation struct {
	need         audit.Requirement
	stated       bool // does the document say anything of its security that is understood?
	alternatives []requirement
}

// A requirement is one alternative: schemes, all needed, with their scopes.
type requirement []schemeScopes

type schemeScopes struct {
	scheme string
	scopes []string
}

// operations reads every operation, then settles what each needs: only all of them
// together tell which schemes carry scopes.
func (d *document) operations() {
	paths := d.model.Paths.Value
	if paths == nil || paths.PathItems == nil {
		return
	}
	for path, item := range paths.PathItems.FromOldest() {
		if item.Value != nil {
			d.pathItem(path.Value, item.Value)
		}
	}
	for i := range d.ops {
		op := &d.ops[i]
		if op.stated {
			op.need.AnyOf = d.anyOf(op.alternatives)
		}
		d.evidence.Requirements = append(d.evidence.Requirements, op.need)
	}
}

func (d *document) pathItem(path string, item *openapi.PathItem) {
	for _, m := range []struct {
		method string
		op     *openapi.Operation
		node   *yaml.Node
	}{
		{"GET", item.Get.Value, item.Get.ValueNode}, {"HEAD", item.Head.Value, item.Head.ValueNode},
		{"POST", item.Post.Value, item.Post.ValueNode}, {"PUT", item.Put.Value, item.Put.ValueNode},
		{"PATCH", item.Patch.Value, item.Patch.ValueNode}, {"DELETE", item.Delete.Value, item.Delete.ValueNode},
		{"OPTIONS", item.Options.Value, item.Options.ValueNode},
	} {
		if m.op == nil {
			continue
		}
		servers := m.op.Servers.Value
		if len(servers) == 0 {
			servers = item.Servers.Value
		}
		if len(servers) == 0 {
			servers = d.model.Servers.Value
		}
		server := ""
		if len(servers) > 0 {
			server = serverURL(servers[0].Value)
		}
		d.operation(m.method, d.under(server, path), m.op, d.origins[m.node])
	}
}

func (d *document) operation(method, path string, op *openapi.Operation, where audit.Where) {
	u, err := scopes.ParseOperation(method + " {" + baseOr(d.Base) + "}" + onePerSegment(path))
	if err != nil {
		d.note(where, fmt.Sprintf("left out: %v", err))
		return
	}
	one := operation{need: audit.Requirement{Operation: u, Title: title(op.Summary.Value), Where: where, Source: audit.SourceAPI}}
	security := op.Security
	if security.ValueNode == nil {
		security = d.model.Security
	}
	one.stated = security.ValueNode != nil
	for _, s := range security.Value {
		if s.Value == nil || !one.stated {
			continue
		}
		all, ok := d.requirement(s.Value, where)
		one.alternatives, one.stated = append(one.alternatives, all), ok
	}
	d.ops = append(d.ops, one)
}

// requirement reads one alternative, and learns which schemes carry scopes. It is not ok
// where a scheme has words and none is a scope.
func (d *document) requirement(s *base.SecurityRequirement, where audit.Where) (all requirement, ok bool) {
	if s.Requirements.Value == nil {
		return nil, true
	}
	ok = true
	for name, listed := range s.Requirements.Value.FromOldest() {
		one := schemeScopes{scheme: name.Value}
		for _, word := range listed.Value {
			for scope := range strings.FieldsSeq(word.Value) { // two in one string: a usual slip
				if err := scopes.CheckScope(scope); err != nil {
					d.note(where, err.Error())
					continue
				}
				one.scopes = append(one.scopes, scope)
				d.carriers[name.Value] = true
			}
		}
		ok = ok && (len(listed.Value) == 0 || len(one.scopes) > 0)
		all = append(all, one)
	}
	return all, ok
}

// anyOf is what the alternatives need in scopes; never nil.
func (d *document) anyOf(alternatives []requirement) [][]string {
	list := [][]string{}
	named := slices.ContainsFunc(alternatives, func(r requirement) bool { return len(r.scopes()) > 0 })
	for _, r := range alternatives {
		other := len(r) > 0 && !slices.ContainsFunc(r, func(s schemeScopes) bool { return d.carriers[s.scheme] })
		if words := r.scopes(); !named || !other {
			if !slices.ContainsFunc(list, func(have []string) bool { return slices.Equal(have, words) }) {
				list = append(list, words)
			}
		}
	}
	if len(list) == 0 {
		list = append(list, []string{}) // security: [] is public
	}
	return list
}

func (r requirement) scopes() []string {
	var words []string
	for _, s := range r {
		words = append(words, s.scopes...)
	}
	return scopes.NewSet(words...).Slice()
}

// serverURL is a server's URL with the defaults of its variables.
func serverURL(s *openapi.Server) string {
	if s == nil {
		return ""
	}
	address := s.URL.Value
	if s.Variables.Value != nil {
		for name, v := range s.Variables.Value.FromOldest() {
			if v.Value != nil {
				address = strings.ReplaceAll(address, "{"+name.Value+"}", v.Value.Default.Value)
			}
		}
	}
	return address
}

// under is an operation's path below the base's URL.
func (d *document) under(server, path string) string {
	path, _, _ = strings.Cut(path, "?")
	path, _, _ = strings.Cut(path, "#")
	if d.BaseURL == "" {
		return path
	}
	base, baseErr := url.Parse(d.BaseURL)
	at, err := url.Parse(server)
	if baseErr != nil || err != nil {
		return path
	}
	full := strings.TrimSuffix(at.Path, "/") + path
	prefix := strings.TrimSuffix(base.Path, "/")
	if rest, below := strings.CutPrefix(full, prefix); below && strings.HasPrefix(rest, "/") {
		return rest
	}
	return path
}

// onePerSegment makes one variable of several in a segment: {a}...{b} is {a}.
func onePerSegment(path string) string {
	if strings.Count(path, "{") < 2 {
		return path
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		open, end := strings.Index(s, "{"), strings.LastIndex(s, "}")
		if strings.Count(s, "{") < 2 || end < open {
			continue
		}
		name, _, _ := strings.Cut(s[open+1:], "}")
		segments[i] = s[:open] + "{" + name + "}" + s[end+1:]
	}
	return strings.Join(segments, "/")
}
