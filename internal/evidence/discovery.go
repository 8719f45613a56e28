package evidence

import (
	"strings"

	"github.com/ambit-auth/ambit/scopes"
)

// discoveryKind is what a discovery document calls itself (Google API Discovery Service, v1).
const discoveryKind = "discovery#restDescription"

func (d *document) isDiscovery() bool { return d.root.get("kind").word() == discoveryKind }

// discovery reads the methods of a discovery document, at its top and in its resources.
func (r *openAPIReader) discovery(root *node) {
	for _, scope := range root.get("auth").get("oauth2").get("scopes").children() {
		if scopes.CheckScope(scope.key) == nil {
			r.evidence.Words = append(r.evidence.Words, scope.key)
			r.about(scope.key, scope.get("description").word())
		}
	}
	at := r.ground.siteOf(r.root, []string{root.get("rootUrl").word()})
	r.methods(root, at, "/"+strings.Trim(root.get("servicePath").word(), "/"), maxNested)
}

// maxNested bounds how deep resources are nested; the deepest in use has ten.
const maxNested = 30

func (r *openAPIReader) methods(of *node, at *site, prefix string, deeper int) {
	for _, m := range of.get("methods").children() {
		if m.kind == objectNode && r.failed == nil {
			r.method(m, at, prefix)
			m.release()
		}
	}
	for _, resource := range of.get("resources").children() {
		if deeper == 0 {
			r.fail(syntax(r.file, resource.line, "resources are nested more than %d deep", maxNested))
			return
		}
		r.methods(resource.node, at, prefix, deeper-1)
		resource.release()
	}
}

// method reads one, at each of its paths. Any one of its scopes is enough.
func (r *openAPIReader) method(m member, at *site, prefix string) {
	written := m.get("path").word()
	path := m.get("flatPath").word()
	if path == "" {
		path = plainNames(written)
	}
	paths := []string{strings.TrimSuffix(prefix, "/") + "/" + strings.TrimPrefix(path, "/")}
	for _, protocol := range m.get("mediaUpload").get("protocols").children() {
		if upload := protocol.get("path").word(); upload != "" {
			if before, is := strings.CutSuffix(upload, written); is { // the flat path is of these too
				upload = before + path
			}
			paths = append(paths, "/"+strings.TrimPrefix(plainNames(upload), "/"))
		}
	}
	s := r.anyOf(m.get("scopes"))
	for _, path := range paths {
		if r.spend(&r.described, maxOperations, "it describes more than %d operations") {
			r.add(m.node, m.where(), m.get("httpMethod").word(), path, inherited{at, s}, sentence(m.get("description").word()))
		}
	}
}

// plainNames is a path whose {+name}, which may hold slashes, stand there as {name}.
func plainNames(path string) string { return strings.ReplaceAll(path, "{+", "{") }

// anyOf is a list of scopes of which one is enough. A method without one says nothing.
func (r *openAPIReader) anyOf(list member) *security {
	words, bad := list.scopes()
	if bad != nil {
		r.note(bad.where, "scopes do not count: "+bad.reason)
	}
	if len(words) == 0 {
		return nil
	}
	s := &security{stated: true}
	for _, word := range words {
		s.anyOf = append(s.anyOf, []string{word})
	}
	return s
}

// sentence is the first one of a description, as a title.
func sentence(description string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(description), "\n")
	if at := strings.Index(first, ". "); at >= 0 {
		first = first[:at]
	}
	return strings.TrimSuffix(title(first), ".")
}
