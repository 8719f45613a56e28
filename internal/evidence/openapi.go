package evidence

import (
	"fmt"
	"io"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// OpenAPI reads OpenAPI documents of version 3, as JSON or YAML, and discovery documents.
type OpenAPI struct {
	Base     string             // name of the base on which all operations stand; "": each document's own URLs choose
	Server   provider.Server    // whose bases those are; without any, operations stand on [DefaultBase] as written
	Provider *provider.Provider // of the server: the bases of its other servers, and its own forms of evidence; nil for none
	// Fetch gets a remote document that a path refers to ($ref). nil: none is ever fetched,
	// and a note names what was left out.
	Fetch func(url string) ([]byte, error)
	// Open reads a file that a document refers to that is a file itself. The path is relative
	// to the document's directory, has slashes, and does not lead out of that directory; that no
	// link does is for Open to see to. What it cannot read is left out, and a note names it.
	// nil: none is ever read.
	Open func(path string) ([]byte, error)
}

// Read reads the document: which scopes each operation needs, by its own security
// or else the document's (OpenAPI 3.1 §4.8.30). Requirements in the list are
// alternatives, the schemes within one are all needed, {} and [] need nothing. What places
// of their own say is joined with it, see [provider.EvidenceForm]. Scopes
// count on a scheme of any type. A requirement without scopes, on a scheme that never
// carries any, is for another kind of credential (a session cookie, say): it is left out
// where a requirement with scopes stands beside it.
//
// A security that is not of the form that it should have is an error, for read as it stands
// it would need nothing. Where none of its words is a scope, the operation says nothing.
//
// Only what says something of security is looked at: a schema that refers to itself, or
// to another document, does not matter. A key that stands twice where something is looked
// at is an error. An operation from another document has its place there. The error is an
// *[Error].
func (o OpenAPI) Read(file string, in io.Reader) (audit.Evidence, error) {
	return o.read(file, in, partSize)
}

func (o OpenAPI) read(file string, in io.Reader, partSize int) (audit.Evidence, error) {
	text, err := read(file, in, MaxOpenAPI)
	if err != nil {
		return audit.Evidence{}, err
	}
	return o.readText(file, text, partSize)
}

func (o OpenAPI) readText(file string, text []byte, partSize int) (audit.Evidence, error) {
	r := &openAPIReader{
		documentSet: documentSet{OpenAPI: o, file: file, partSize: partSize},
		carriers:    make(map[string]bool),
		securities:  make(map[*node]*security),
		forms:       formsFor(provider.DescribedOperation, o.Provider),
	}
	r.ground = newGround(o.Base, o.Server, o.Provider)
	d := r.first(len(text))
	if err := d.parse(text, true); r.failed != nil {
		return audit.Evidence{}, r.failed
	} else if err != nil {
		return audit.Evidence{}, d.broken(err, text)
	}
	if d.isDiscovery() {
		r.discovery(d.root)
	} else {
		if err := d.checkVersion(text); err != nil {
			return audit.Evidence{}, err
		}
		r.paths(d.root)
		r.schemes(d.root.get("components"))
	}
	if r.failed != nil {
		return audit.Evidence{}, r.failed
	}
	return r.settled(), nil
}

// An openAPIReader gathers what the documents of an API say.
type openAPIReader struct {
	documentSet
	carriers   map[string]bool // schemes that carry scopes
	securities map[*node]*security
	forms      forms
	ground     *ground
	operations []operation
	described  int // operations
	words      int // scopes of their requirements
	evidence   audit.Evidence
	noted      int
}

// maxNotes bounds how much of one document is noted.
const maxNotes = 50

func (r *openAPIReader) note(where audit.Where, message string) {
	if r.noted++; r.noted <= maxNotes {
		r.evidence.Notes = append(r.evidence.Notes, audit.Note{Where: where, Message: text.Line(message)})
	}
}

// An operation is one of the document, with its security, or else the document's.
type operation struct {
	need     audit.Requirement
	security *security
	stated   []statement // elsewhere
}

// maxOperations bounds how many are read; the largest documents have some ten thousand.
const maxOperations = 200_000

// settled is the evidence of all that was read.
func (r *openAPIReader) settled() audit.Evidence {
	for i := range r.operations {
		op := &r.operations[i]
		if op.security != nil && op.security.stated {
			op.need.AnyOf = op.security.settle(r.carriers)
		}
		for _, more := range op.stated {
			r.state(&op.need, more)
		}
		r.evidence.Requirements = append(r.evidence.Requirements, op.need)
	}
	if more := r.noted - maxNotes; more > 0 {
		r.evidence.Notes = append(r.evidence.Notes, audit.Note{Where: audit.Where{File: r.file}, Message: "and " + text.Count(more, "more note")})
	}
	r.evidence.Words = scopes.NewSet(r.evidence.Words...).Sorted().Slice()
	r.evidence.Elsewhere = r.ground.elsewhere
	return r.evidence
}

// state joins what a place of its own says with what an operation is known to need.
func (r *openAPIReader) state(need *audit.Requirement, more statement) {
	if more.bad != nil {
		r.note(more.bad.where, need.Operation.String()+": "+more.bad.at+" does not count: "+more.bad.reason)
	}
	all, ok := stated(need.AnyOf, more)
	if !ok {
		r.note(need.Where, fmt.Sprintf("%s has more than %d alternatives: only those of security count", need.Operation, maxAlternatives))
		return
	}
	need.AnyOf = all
}

// inherited is what an operation has from its path and its document.
type inherited struct {
	site     *site
	security *security
}

// paths reads every operation.
func (r *openAPIReader) paths(root *node) {
	paths, ok := r.follow(root.get("paths"), "what the paths need")
	if !ok {
		return
	}
	outer := inherited{r.site(root.get("servers")), r.security(root.get("security"))}
	for _, item := range paths.children() {
		if r.failed != nil {
			return
		}
		if !strings.HasPrefix(strings.ToLower(item.key), "x-") {
			r.pathItem(item, item.key, outer)
			item.release()
		}
	}
}

// pathItem reads the operations of a path; where its reference cannot be followed, those
// that stand beside that.
func (r *openAPIReader) pathItem(item member, path string, outer inherited) {
	if found, ok := r.follow(item, "what "+path+" needs"); ok {
		item = found
	}
	if servers := item.get("servers"); len(servers.children()) > 0 {
		outer.site = r.site(servers)
	}
	for _, method := range []string{"get", "head", "post", "put", "patch", "delete", "options"} {
		if op := item.get(method); op.kind != noNode {
			r.operation(op, strings.ToUpper(method), path, outer)
			op.release()
		}
	}
}

// operation reads one. Where it is a reference that cannot be followed, what it needs is
// not known, and the document's security is not for it to have: it is left out.
func (r *openAPIReader) operation(at member, method, path string, outer inherited) {
	op, ok := r.follow(at, "what "+method+" "+path+" needs")
	if !ok || !r.spend(&r.described, maxOperations, "it describes more than %d operations") {
		return
	}
	where := at.where()
	if op.document != at.document {
		where = op.where()
	}
	if servers := op.get("servers"); len(servers.children()) > 0 {
		outer.site = r.site(servers)
	}
	if own := r.security(op.get("security")); own != nil {
		outer.security = own
	}
	r.add(op.node, where, method, path, outer, title(op.get("summary").word()))
}

// add is for an operation with its security, and with what it says itself.
func (r *openAPIReader) add(op *node, where audit.Where, method, path string, outer inherited, title string) {
	base, path := r.ground.place(outer.site, path)
	u, err := scopes.ParseOperation(method + " {" + base + "}" + onePerSegment(path))
	if err != nil {
		r.note(where, fmt.Sprintf("left out: %v", err))
		return
	}
	one := operation{audit.Requirement{Operation: u, Title: title, Where: where, Source: audit.SourceAPI}, outer.security, r.forms.in(op)}
	for _, s := range one.stated {
		for _, all := range s.anyOf {
			for range all {
				r.spend(&r.words, maxWords, tooManyWords)
			}
		}
	}
	r.operations = append(r.operations, one)
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
