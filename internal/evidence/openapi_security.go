package evidence

import (
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
)

// A security is what a list of security requirements says (OpenAPI 3.1 §4.8.30).
type security struct {
	stated       bool // is any of it understood?
	alternatives []requirement
	anyOf        [][]string // once it is settled; never nil then
}

// A requirement is one alternative: schemes, all needed, with their scopes.
type requirement []schemeScopes

type schemeScopes struct {
	scheme string
	scopes []string
}

// maxWords bounds the scopes that lists of requirements name.
const maxWords = 1_000_000

const tooManyWords = "it names more than %d scopes"

// security reads a list of requirements, once for all that share it. A key without a value
// says nothing, and neither does a list in which a scheme has words and none is a scope.
func (r *openAPIReader) security(list member) *security {
	if list.kind <= nullNode {
		return nil
	}
	if known := r.securities[list.node]; known != nil {
		return known
	}
	s := &security{stated: true}
	r.securities[list.node] = s
	r.want(list, list.kind == listNode)
	for _, item := range list.children() {
		one, ok := r.requirement(item)
		s.stated = s.stated && ok
		s.alternatives = append(s.alternatives, one)
	}
	list.release()
	return s
}

// requirement reads one alternative, and learns which schemes carry scopes. It is not ok
// where a scheme has words and none is a scope.
func (r *openAPIReader) requirement(item member) (all requirement, ok bool) {
	r.want(item, item.kind == objectNode)
	ok = true
	for _, scheme := range item.children() {
		r.want(scheme, scheme.kind == listNode || scheme.kind == nullNode)
		one := schemeScopes{scheme.key, r.scopesOf(scheme)}
		if len(one.scopes) > 0 {
			r.carriers[scheme.key] = true
		}
		ok = ok && (len(one.scopes) > 0 || len(scheme.children()) == 0)
		all = append(all, one)
	}
	return all, ok
}

// scopesOf are the words of a list that are scopes.
func (r *openAPIReader) scopesOf(list member) (words []string) {
	for _, item := range list.children() {
		r.want(item, strings.TrimSpace(item.word()) != "")
		for word := range strings.FieldsSeq(item.word()) { // two in one string: a usual slip
			if !r.spend(&r.words, maxWords, tooManyWords) {
				return nil
			}
			if err := scopes.CheckScope(word); err != nil {
				r.note(audit.Where{File: item.document.name, Line: item.node.line}, err.Error())
				continue
			}
			words = append(words, word)
		}
	}
	return words
}

// want fails where a node of a security is not as it should be. Read as it stands, it
// would need nothing.
func (r *openAPIReader) want(m member, ok bool) {
	if !ok {
		r.fail(syntax(m.document.name, m.node.line, "security is a list of requirements, each from the name of a scheme to a list of scopes"))
	}
}

// settle tells what the alternatives need in scopes. Only all operations together tell
// which schemes carry any.
func (s *security) settle(carriers map[string]bool) [][]string {
	if s.anyOf != nil {
		return s.anyOf
	}
	s.anyOf = [][]string{}
	seen := make(map[string]bool)
	named := slices.ContainsFunc(s.alternatives, func(r requirement) bool { return len(r.scopes()) > 0 })
	for _, r := range s.alternatives {
		other := len(r) > 0 && !slices.ContainsFunc(r, func(s schemeScopes) bool { return carriers[s.scheme] })
		words := r.scopes()
		if key := strings.Join(words, " "); !seen[key] && !(named && other) {
			seen[key] = true
			s.anyOf = append(s.anyOf, words)
		}
	}
	if len(s.anyOf) == 0 {
		s.anyOf = append(s.anyOf, []string{}) // security: [] is public
	}
	return s.anyOf
}

func (r requirement) scopes() []string {
	var words []string
	for _, s := range r {
		words = append(words, s.scopes...)
	}
	return scopes.NewSet(words...).Slice()
}

// schemes learns which security schemes carry scopes, and the scopes that OAuth flows list.
func (r *openAPIReader) schemes(components member) {
	const what = "what the schemes allow"
	components, ok := r.follow(components, what)
	if !ok {
		return
	}
	schemes, ok := r.follow(components.get("securitySchemes"), what)
	if !ok {
		return
	}
	for _, m := range schemes.children() {
		scheme, ok := r.follow(m, "what the scheme "+m.key+" allows")
		if !ok {
			continue
		}
		if kind := scheme.get("type").word(); kind == "oauth2" || kind == "openIdConnect" {
			r.carriers[m.key] = true
		}
		r.authorizes(audit.AuthorizedAt{Discovery: scheme.get("openIdConnectUrl").word()})
		for _, flow := range scheme.get("flows").children() {
			r.authorizes(audit.AuthorizedAt{Authorization: flow.get("authorizationUrl").word(), Token: flow.get("tokenUrl").word()})
			for _, scope := range flow.get("scopes").children() {
				if scopes.CheckScope(scope.key) == nil {
					r.evidence.Words = append(r.evidence.Words, scope.key)
					r.about(scope.key, scope.word())
				}
			}
		}
	}
}

// maxAuthorized bounds how many places of one document are kept at which people agree.
const maxAuthorized = 10

// authorizes keeps where people agree, as far as these are whole URLs.
func (r *openAPIReader) authorizes(at audit.AuthorizedAt) {
	for _, u := range []*string{&at.Authorization, &at.Token, &at.Discovery} {
		if guard.CheckURL(*u) != nil {
			*u = ""
		}
	}
	if list := r.evidence.Authorized; at != (audit.AuthorizedAt{}) && len(list) < maxAuthorized && !slices.Contains(list, at) {
		r.evidence.Authorized = append(list, at)
	}
}

// about keeps what a scope allows.
func (r *openAPIReader) about(scope, description string) {
	if description = title(description); description == "" {
		return
	}
	if r.evidence.About == nil {
		r.evidence.About = make(map[string]string)
	}
	if _, known := r.evidence.About[scope]; !known {
		r.evidence.About[scope] = description
	}
}
