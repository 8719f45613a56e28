package evidence

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/pb33f/go-yaml"
	"github.com/pb33f/libopenapi/datamodel"
)

// maxFetches bounds how many remote documents one document can make this program get.
const maxFetches = 50

// errTooManyFetches stops a document that leads from one reference to the next.
var errTooManyFetches = errors.New("too many remote references")

// config is how the library is used: silent, without this machine's files, and
// without the network, unless the caller gave a way to fetch.
func (d *document) config() *datamodel.DocumentConfiguration {
	c := &datamodel.DocumentConfiguration{
		Logger:                     slog.New(slog.DiscardHandler),
		SkipExternalRefResolution:  d.Fetch == nil,
		SkipMetadataCollection:     true,
		SkipCircularReferenceCheck: true, // the cycles are in schemas, which are gone by then
		ExcludeExtensionRefs:       true,
	}
	if d.Fetch == nil {
		return c
	}
	c.AllowRemoteReferences = true
	if u, err := url.Parse(d.file); err == nil && (u.Scheme == "https" || u.Scheme == "http") {
		u.Path, u.RawQuery, u.Fragment = path.Dir(u.Path), "", ""
		c.BaseURL = u
	}
	var count atomic.Int32
	c.RemoteURLHandler = func(address string) (*http.Response, error) {
		if count.Add(1) > maxFetches {
			d.failed.CompareAndSwap(nil, &Error{Where: scopes.Where{File: d.file}, Kind: TooLarge, Reason: errTooManyFetches.Error(), Err: errTooManyFetches})
			return nil, errTooManyFetches
		}
		text, err := d.Fetch(address)
		if err == nil && len(text) > MaxOpenAPI {
			err = tooLarge(address, MaxOpenAPI)
		}
		if err != nil {
			d.failed.CompareAndSwap(nil, &Error{Where: scopes.Where{File: d.file}, Kind: Syntax, Reason: "it refers to " + address + ", which cannot be had: " + err.Error(), Err: err})
			return nil, err
		}
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(text)), ContentLength: int64(len(text))}, nil
	}
	return c
}

// remote tells whether a reference leads to what can be fetched: it has a URL, or the
// document itself has one.
func (d *document) remote(ref string) bool {
	return strings.Contains(ref, "://") || strings.Contains(d.file, "://")
}

// A reference is a path's $ref that is not followed.
type reference struct {
	from, to string
	line     int
	why      string
}

// A pruner takes out of a document all that says nothing of security: nine tenths of most
// documents, among them every schema, with its cycles and its references. It also takes
// out references of paths that cannot be followed: for one of them the library would
// give up on all paths.
type pruner struct {
	top    *yaml.Node
	follow func(ref string) bool // may a reference to another document be followed?
	left   []reference

	malformed *yaml.Node // the first security that is none: read as it stands, it would need nothing
}

func (p *pruner) prune(root *yaml.Node) {
	if root == nil || len(root.Content) == 0 {
		return
	}
	p.top = root.Content[0]
	keep(p.top, "openapi", "servers", "security", "paths", "components")
	components := member(p.top, "components")
	if components != nil {
		keep(components, "securitySchemes", "pathItems")
		keepPaths(member(components, "pathItems"))
	}
	keepPaths(member(p.top, "paths"))
	p.checkSecurity(p.top)
	for _, item := range append(values(member(p.top, "paths")), values(memberOf(components, "pathItems"))...) {
		for _, op := range values(item) {
			p.checkSecurity(op)
		}
	}
	p.references(member(p.top, "paths"))
	if components != nil {
		p.references(member(components, "pathItems"))
	}
}

func keepPaths(paths *yaml.Node) {
	for _, item := range values(paths) {
		keep(item, "$ref", "servers", "get", "head", "post", "put", "patch", "delete", "options")
		for i := 0; item.Kind == yaml.MappingNode && i+1 < len(item.Content); i += 2 {
			if item.Content[i].Value != "servers" {
				keep(item.Content[i+1], "$ref", "summary", "security", "servers")
			}
		}
	}
}

// references takes out the paths' references that cannot be followed, and operations that
// are such a reference: without what it leads to, what they need is not known.
func (p *pruner) references(paths *yaml.Node) {
	for i, item := range values(paths) {
		from := paths.Content[2*i].Value
		if p.blocked(from, item) {
			keep(item, "servers", "get", "head", "post", "put", "patch", "delete", "options")
		}
		if item.Kind != yaml.MappingNode {
			continue
		}
		var content []*yaml.Node
		for j := 0; j+1 < len(item.Content); j += 2 {
			key, op := item.Content[j], item.Content[j+1]
			if key.Value == "$ref" || !p.blocked(strings.ToUpper(key.Value)+" "+from, op) {
				content = append(content, key, op)
			}
		}
		item.Content = content
	}
}

// blocked tells whether a node is a reference that cannot be followed, and notes it.
func (p *pruner) blocked(from string, n *yaml.Node) bool {
	ref := member(n, "$ref")
	if ref == nil {
		return false
	}
	why := p.obstacle(ref.Value)
	if why != "" {
		p.left = append(p.left, reference{from, ref.Value, ref.Line, why})
	}
	return why != ""
}

// maxChain bounds how many references lead to one path.
const maxChain = 20

// obstacle says why a reference cannot be followed; "" where it can.
func (p *pruner) obstacle(ref string) string {
	for range maxChain {
		if !strings.HasPrefix(ref, "#") {
			if p.follow(ref) {
				return ""
			}
			return "is in another document, which is not read"
		}
		item := p.resolve(ref)
		if item == nil || item.Kind != yaml.MappingNode {
			return "is not there"
		}
		next := member(item, "$ref")
		if next == nil {
			return ""
		}
		ref = next.Value
	}
	return "leads back to itself"
}

// resolve finds the node of a JSON pointer in a URL's fragment (RFC 6901 §6).
func (p *pruner) resolve(ref string) *yaml.Node {
	pointer, err := url.PathUnescape(strings.TrimPrefix(ref, "#"))
	if err != nil || !strings.HasPrefix(pointer, "/") {
		return nil
	}
	at := p.top
	for word := range strings.SplitSeq(pointer[1:], "/") {
		if at = member(at, strings.NewReplacer("~1", "/", "~0", "~").Replace(word)); at == nil {
			return nil
		}
	}
	return at
}

// keep takes every other key out of a mapping. A merge key (<<) stays, for what it
// brings in may count.
func keep(n *yaml.Node, keys ...string) {
	if n.Kind != yaml.MappingNode {
		return
	}
	var content []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i].Value; key == "<<" || slices.Contains(keys, key) {
			content = append(content, n.Content[i], n.Content[i+1])
		}
	}
	n.Content = content
}

// values are those of a mapping; none for what is no mapping.
func values(n *yaml.Node) []*yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	var list []*yaml.Node
	for i := 1; i < len(n.Content); i += 2 {
		list = append(list, n.Content[i])
	}
	return list
}

func member(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// memberOf is member of what may not be there.
func memberOf(n *yaml.Node, key string) *yaml.Node {
	if n == nil {
		return nil
	}
	return member(n, key)
}

// checkSecurity looks at the security of a document or an operation (OpenAPI 3.1 §4.8.30).
func (p *pruner) checkSecurity(of *yaml.Node) {
	security := member(of, "security")
	if security == nil || p.malformed != nil {
		return
	}
	if security = unaliased(security); isNull(security) {
		return
	}
	if security.Kind != yaml.SequenceNode {
		p.malformed = security
		return
	}
	for _, requirement := range security.Content {
		requirement = unaliased(requirement)
		if requirement.Kind != yaml.MappingNode {
			p.malformed = requirement
			return
		}
		for _, listed := range values(requirement) {
			if listed = unaliased(listed); listed.Kind != yaml.SequenceNode && !isNull(listed) {
				p.malformed = listed
				return
			}
		}
	}
}

func unaliased(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func lineOf(n *yaml.Node) int {
	if n == nil {
		return 0
	}
	return n.Line
}
