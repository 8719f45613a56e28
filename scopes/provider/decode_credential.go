package provider

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/template"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"go.yaml.in/yaml/v3"
)

// maxKinds bounds the kinds of credential: each is compared with each.
const maxKinds = 100

func (d *decoder) credentials(n *yaml.Node) []CredentialKind {
	var kinds []CredentialKind
	if !d.AtMost(n, maxKinds, "credentials lists at most %d kinds", maxKinds) {
		return nil
	}
	d.List(n, "credentials", func(item *yaml.Node) {
		var k CredentialKind
		d.Mapping(item, "a credential", []yamlfile.Member{
			yamlfile.Optional("prefix", func(v *yaml.Node) { k.Prefix = d.Text(v, "prefix") }, "what every credential of this kind begins with"),
			yamlfile.Optional("pattern", func(v *yaml.Node) { k.Pattern = d.pattern(v) }, "a regular expression (RE2) for all of it: in place of a prefix, or beside one that several kinds have"),
			yamlfile.Required("kind", func(v *yaml.Node) { k.Kind = scopes.Kind(d.Name(v, "kind")) }, "the service's own word for it; oauth_token is what a login obtains"),
			yamlfile.Optional("holds", func(v *yaml.Node) {
				k.Permissions = d.Word(v, "holds", []string{"scopes", "permissions"}) == "permissions"
			}, "permissions: it carries no scopes, and none is judged missing"),
			yamlfile.Optional("empty_scope", func(v *yaml.Node) {
				k.EmptyUnknown = d.Word(v, "empty_scope", []string{"none", "unknown"}) == "unknown"
			}, "unknown: an empty list in a token response says nothing; default: nothing is granted"),
			yamlfile.Optional("token_type", func(v *yaml.Node) { k.TokenType = d.Text(v, "token_type") }, "what the token response calls this kind, where that is not Bearer"),
			yamlfile.Optional("label", func(v *yaml.Node) { k.Label = d.Text(v, "label") }, "what people call it"),
			yamlfile.Optional("env", func(v *yaml.Node) {
				d.List(v, "env", func(item *yaml.Node) { k.Env = append(k.Env, d.variable(item)) })
			}, "environment variables in which people keep one; the first that is set counts"),
			yamlfile.Optional("create", func(v *yaml.Node) { k.Create = d.page(v, "create") }, "the page on which a person makes one; {scopes} in its query stands for the declared scopes, with commas"),
			yamlfile.Optional("send", func(v *yaml.Node) { k.Send = d.sending(v, true) }, "how every request carries it: bearer (default), or {header: NAME, text: TEXT}, where {credential} stands in the text"),
			yamlfile.Optional("inspect", func(v *yaml.Node) { k.Inspect = d.inspections(v) }, "how the service is asked what one holds, or a list of ways that are tried in turn"),
			yamlfile.Optional("revoke", func(v *yaml.Node) { k.Revoke = d.revoke(v) }, "the service's own way to end one that a login obtained, in place of the revocation_endpoint"),
			yamlfile.Optional("usable", func(v *yaml.Node) { k.Usable = d.usable(v) }, "for each base, whether its scopes decide (by_scope) or it never works there"),
			yamlfile.Optional("renewable", func(v *yaml.Node) { k.Renewable = d.Boolean(v, "renewable") }, "a login obtains it, and can obtain another; default: of oauth_token alone"),
			yamlfile.Optional("programs", func(v *yaml.Node) {
				k.Programs = Programs(d.Word(v, "programs", []string{string(ProgramsMeant), string(ProgramsNever)}))
			}, "whether a program is meant to bring this kind; default: where env is given"),
		})
		if k.Label == "" {
			k.Label = "a credential of the kind " + string(k.Kind)
		}
		if yamlfile.Child(item, "renewable") == nil {
			k.Renewable = k.Kind == scopes.AccessToken
		}
		if k.Programs == "" && len(k.Env) > 0 {
			k.Programs = ProgramsMeant
		}
		d.distinct(item, kinds, k)
		kinds = append(kinds, k)
	})
	return kinds
}

// page reads a URL for people, or a {base} with a path: its query may have {scopes} in it.
func (d *decoder) page(n *yaml.Node, what string) string {
	return d.withQuery(n, what, "https://service.example/keys", wantedWord)
}

// asked reads where a request goes: a URL or a {base} with a path, and a query of its own.
func (d *decoder) asked(n *yaml.Node) string { return d.withQuery(n, "url", "{api}/path") }

func (d *decoder) withQuery(n *yaml.Node, what, example string, allowed ...string) string {
	address, query, asks := strings.Cut(n.Value, "?")
	if n.Kind != yaml.ScalarNode || !asks {
		written := d.template(n, what)
		d.Is(n, yamlfile.Spelling{Pattern: pagePattern, Example: example})
		return written
	}
	names, err := template.Names(query)
	named := slices.DeleteFunc(names, func(name string) bool { return slices.Contains(allowed, "{"+name+"}") })
	if err != nil || len(named) > 0 || !text.IsUnbroken(query) || strings.Contains(query, "#") {
		d.Mistake(n, yamlfile.BadValue, "the query of %s has no fragment and no space, and %s", what, onlyNames(allowed))
		return ""
	}
	before := *n
	before.Value = address
	if d.template(&before, what) == "" {
		return ""
	}
	return n.Value
}

// onlyNames says which names may stand in a text.
func onlyNames(allowed []string) string {
	if len(allowed) == 0 {
		return "no {name}"
	}
	return "no other name than " + strings.Join(allowed, ", ")
}

// pagePattern is templatePattern with a query.
const pagePattern = urlPattern + `|^https?://[^?#\s]+\?[^#\s]*$|^\{[a-z0-9_]+\}(/[^?#\s]*)?(\?[^#\s]*)?$`

// distinct notes what keeps a kind from being told from the others.
func (d *decoder) distinct(n *yaml.Node, kinds []CredentialKind, k CredentialKind) {
	pattern := yamlfile.Child(n, "pattern")
	same := slices.ContainsFunc(kinds, func(o CredentialKind) bool { return o.Prefix == k.Prefix && o.Pattern == k.Pattern })
	switch {
	case pattern != nil && k.Pattern == "":
	case same && pattern != nil && k.Prefix == "":
		d.Mistake(n, yamlfile.DuplicateKey, "a credential with the pattern %q appears twice", k.Pattern)
	case same && pattern != nil:
		d.Mistake(n, yamlfile.DuplicateKey, "a credential with the prefix %q and the pattern %q appears twice", k.Prefix, k.Pattern)
	case same:
		d.Mistake(n, yamlfile.DuplicateKey, "a credential with the prefix %q appears twice", k.Prefix)
	}
	for _, way := range k.Inspect {
		if k.Permissions && way.Scopes.Given() {
			d.Mistake(yamlfile.Child(n, "inspect"), yamlfile.BadValue, "a credential that holds permissions has no scopes to be read: leave the place of scopes out")
		}
	}
}

// maxPattern bounds a pattern, in bytes: one tells a kind of credential, and is no program.
const maxPattern = 200

// pattern reads a regular expression (RE2) for all of a credential. It is parsed here, and compiled
// when a credential is there.
func (d *decoder) pattern(n *yaml.Node) string {
	return d.Parsed(n, "pattern", yamlfile.BadValue, func(written string) error {
		if len(written) > maxPattern {
			return fmt.Errorf("a pattern has at most %d characters", maxPattern)
		}
		if _, err := syntax.Parse(written, syntax.Perl); err != nil {
			return fmt.Errorf("pattern is not a regular expression: %w", err)
		}
		return nil
	})
}

// maxWays bounds the ways in which a credential is inspected: a person waits for each.
const maxWays = 5

// inspections reads one way to inspect a credential, or a list of them.
func (d *decoder) inspections(n *yaml.Node) []Inspection {
	if n.Kind != yaml.SequenceNode {
		return []Inspection{d.inspection(n)}
	}
	d.AtLeast(n, 1, "inspect lists one way or more")
	if !d.AtMost(n, maxWays, "inspect lists at most %d ways", maxWays) {
		return nil
	}
	var ways []Inspection
	d.List(n, "inspect", func(item *yaml.Node) { ways = append(ways, d.inspection(item)) })
	return ways
}

func (d *decoder) inspection(n *yaml.Node) Inspection {
	var i Inspection
	before := d.Count()
	d.Mapping(n, "inspect", slices.Concat([]yamlfile.Member{
		yamlfile.Optional("url", func(v *yaml.Node) { i.URL = d.asked(v) }, "where it is asked, with the credential itself"),
	}, d.howToAsk(&i), []yamlfile.Member{
		yamlfile.Optional("introspection", func(v *yaml.Node) {
			i.Introspection, i.JSON = true, d.Word(v, "introspection", []string{"form", "json"}) == "json"
		}, "in place of a url: asked by introspection (RFC 7662), with a form or with JSON"),
		yamlfile.Optional("caller", func(v *yaml.Node) { i.Bearer = d.Word(v, "caller", []string{"client_id", "bearer"}) == "bearer" }, "who introspects: the client (the default), or the token itself"),
		yamlfile.Optional("scopes", func(v *yaml.Node) { i.Scopes = d.place(v, "scopes") }, "where in the response the scopes are: a path, or {header: NAME}"),
		yamlfile.Optional("absent", func(v *yaml.Node) { i.AbsentUnknown = d.Word(v, "absent", []string{"unknown"}) != "" }, "unknown: where that place is missing, the credential is good, and nobody knows what it holds"),
		yamlfile.Optional("reach", func(v *yaml.Node) {
			d.Named(v, "reach", func(sort, member *yaml.Node) {
				i.Reach = append(i.Reach, ReachMember{Of: sort.Value, Member: d.Text(member, "reach")})
			})
		}, "members of the response that list what the credential is limited to"),
		yamlfile.Optional("expires", func(v *yaml.Node) { i.Expires = d.place(v, "expires") }, "where the response says when it ends: in seconds since 1970, or from now where that is less than ten years; or as 2027-01-31T09:00:00Z, 2027-01-31 09:00:00 UTC or 2027-01-31"),
		yamlfile.Optional("account", func(v *yaml.Node) { i.Account = d.place(v, "account") }, "where the response names the account"),
		yamlfile.Optional("unknown", func(v *yaml.Node) { i.Unknown = d.signs(v, "unknown") }, "how it is said, beside a 401, that the credential is not known"),
		yamlfile.Optional("expired", func(v *yaml.Node) { i.Expired = d.signs(v, "expired") }, "how it is said that the credential has expired"),
		yamlfile.Optional("denied", func(v *yaml.Node) { i.Denied = d.signs(v, "denied") }, "how it is said that the credential is valid, and may not look at itself"),
	}))
	d.OneOf(n, "inspect", "url", "introspection")
	d.Needs(n, "caller", "introspection", "caller says who introspects; a url is asked by the credential itself")
	if d.Count() == before {
		d.consistent(n, i)
	}
	return i
}

// consistent notes words of an inspection that do not go together.
func (d *decoder) consistent(n *yaml.Node, i Inspection) {
	signs := slices.Concat(i.Unknown, i.Expired, i.Denied)
	reads := i.ReadsBody() || slices.ContainsFunc(signs, func(s Sign) bool { return len(s.At) > 0 })
	for word, problem := range map[string]string{
		"method":  "the method of an introspection is POST",
		"send":    "an introspection sends the credential as RFC 7662 §2.1 says; caller says who asks",
		"headers": "headers are for a url",
		"body":    "the body of an introspection is what RFC 7662 §2.1 says",
	} {
		if at := yamlfile.Child(n, word); at != nil && i.Introspection {
			d.Mistake(at, yamlfile.BadValue, "%s", problem)
		}
	}
	switch {
	case i.Introspection:
	case i.Body != "" && i.Method != http.MethodPost:
		d.Mistake(yamlfile.Child(n, "body"), yamlfile.BadValue, "a body goes with method: POST")
	case i.Send.Member != "" && i.Method != http.MethodPost:
		d.Mistake(yamlfile.Child(n, "send"), yamlfile.BadValue, "a member is sent in the JSON of method: POST")
	case i.Body != "" && i.Send.InBody(i.Method):
		d.Mistake(yamlfile.Child(n, "send"), yamlfile.BadValue, "the credential is all of the body then: there is no other one")
	case i.Send.Parameter != "" && i.Method == http.MethodHead:
		d.Mistake(yamlfile.Child(n, "send"), yamlfile.BadValue, "a parameter goes with a GET or a POST")
	case i.Method == http.MethodHead && reads:
		d.Mistake(yamlfile.Child(n, "method"), yamlfile.BadValue, "the response to a HEAD has no body: its places are headers, as {header: NAME}")
	case i.AbsentUnknown && !i.Scopes.Given():
		d.Mistake(yamlfile.Child(n, "absent"), yamlfile.BadValue, "absent is about the place of scopes, which is missing here")
	}
}

// sending reads how a request carries the credential: any request, in a header field, or one that is made for that
// alone, in its parameters or its JSON too.
func (d *decoder) sending(n *yaml.Node, anyRequest bool) Sending {
	var s Sending
	if n.Kind != yaml.MappingNode {
		d.Word(n, "way to send a credential", []string{"bearer"})
		return bearer
	}
	members := []yamlfile.Member{
		yamlfile.Optional("header", func(v *yaml.Node) {
			if s.Header = d.headerName(v); slices.ContainsFunc(framing, func(name string) bool { return strings.EqualFold(name, s.Header) }) {
				d.Mistake(v, yamlfile.BadValue, "%q is set by HTTP itself", s.Header)
			}
		}, "the header field that carries it"),
		yamlfile.Optional("text", func(v *yaml.Node) { s.Text = d.sentText(v) }, "what stands in the header, with {credential} for the credential"),
	}
	if !anyRequest {
		members = append(members,
			yamlfile.Optional("parameter", func(v *yaml.Node) { s.Parameter = d.Name(v, "parameter") }, "the parameter that carries it"),
			yamlfile.Optional("member", func(v *yaml.Node) { s.Member = d.Name(v, "member") }, "the only member of the JSON of a POST"),
		)
	}
	members[0].Required = anyRequest
	d.Mapping(n, "send", members)
	if !anyRequest {
		d.OneOf(n, "send", "header", "parameter", "member")
	}
	d.Needs(n, "text", "header", "text is what stands in a header")
	return s
}

// sentText reads what stands in a header field, once with the credential in it.
func (d *decoder) sentText(n *yaml.Node) string {
	written := d.textTemplate(n, "text")
	if names, _ := template.Names(written); written != "" && (len(names) != 1 || names[0] != credentialWord || len(written) > maxHeader || text.Printable(written) != written) {
		d.Mistake(n, yamlfile.BadValue, "text has {%s} once, and at most %d printable characters", credentialWord, maxHeader)
		return ""
	}
	return written
}

// framing are the header fields that say where a request goes and how long it is (RFC 9110 §7.2, RFC 9112 §6).
var framing = []string{"Connection", "Content-Length", "Host", "TE", "Trailer", "Transfer-Encoding", "Upgrade"}

// maxHeaders bounds the header fields of a request, and maxHeader each of them in bytes.
const (
	maxHeaders = 20
	maxHeader  = 500
)

// requestHeaders reads fields that a request has besides: none of them carries a credential, for the
// file is shared.
func (d *decoder) requestHeaders(n *yaml.Node) []Parameter {
	var list []Parameter
	reserved := append([]string{"Authorization", "Proxy-Authorization", "Cookie"}, framing...)
	d.Named(n, "headers", func(name, v *yaml.Node) {
		value := d.Text(v, name.Value)
		switch {
		case d.headerName(name) == "" || value == "":
		case slices.ContainsFunc(reserved, func(word string) bool { return strings.EqualFold(word, name.Value) }):
			d.Mistake(name, yamlfile.BadValue, "%q is not set here: send says how the credential is sent", name.Value)
		case len(value) > maxHeader || text.Printable(value) != value:
			d.Mistake(v, yamlfile.BadValue, "a header field has at most %d printable characters", maxHeader)
		case len(list) == maxHeaders:
			d.Mistake(name, yamlfile.BadValue, "headers holds at most %d fields", maxHeaders)
		default:
			list = append(list, Parameter{name.Value, value})
		}
	})
	return list
}

func (d *decoder) requestBody(n *yaml.Node) string {
	d.Is(n, yamlfile.Spelling{JSON: true, Example: "{}"})
	body := d.Text(n, "body")
	if body != "" && !json.Valid([]byte(body)) {
		d.Mistake(n, yamlfile.BadValue, "body is not JSON")
	}
	return body
}

// signs reads what a response has that means one thing: one sign, or a list of them.
func (d *decoder) signs(n *yaml.Node, what string) (list []Sign) {
	d.each(n, what, func(item *yaml.Node) {
		var s Sign
		before := d.Count()
		d.Mapping(item, what, d.sign(&s))
		switch at, is := yamlfile.Child(item, "at"), yamlfile.Child(item, "is"); {
		case item.Kind == yaml.MappingNode && len(s.Statuses)+len(s.Headers)+len(s.At) == 0 && is == nil && d.Count() == before && !d.Describing():
			d.Mistake(item, yamlfile.BadValue, "%s names what such a response has: status, header, or at and is", what)
		case is != nil && at == nil:
			d.Mistake(is, yamlfile.BadValue, "is says what stands at a path: name that with at")
		}
		list = append(list, s)
	})
	return list
}

// howToAsk are the members that say how a request carries a credential, and what else it has.
func (d *decoder) howToAsk(i *Inspection) []yamlfile.Member {
	return []yamlfile.Member{
		yamlfile.Optional("method", func(v *yaml.Node) {
			i.Method = d.Word(v, "method", []string{http.MethodGet, http.MethodHead, http.MethodPost})
		}, "the method of the request; default: GET"),
		yamlfile.Optional("send", func(v *yaml.Node) { i.Send = d.sending(v, false) }, "how the credential is sent, where that is not as its kind says: in a header field, as a parameter, or as a member of JSON"),
		yamlfile.Optional("headers", func(v *yaml.Node) { i.Headers = d.requestHeaders(v) }, "further header fields of the request"),
		yamlfile.Optional("body", func(v *yaml.Node) { i.Body = d.requestBody(v) }, "the JSON body of a POST"),
	}
}

func (d *decoder) whoami(n *yaml.Node) Whoami {
	var w Whoami
	before := d.Count()
	d.Mapping(n, "whoami", slices.Concat([]yamlfile.Member{
		yamlfile.Required("url", func(v *yaml.Node) { w.Ask.URL = d.asked(v) }, "what is asked, with the credential"),
	}, d.howToAsk(&w.Ask), []yamlfile.Member{
		yamlfile.Required("name", func(v *yaml.Node) { w.Ask.Account = d.place(v, "name") }, "where the response names the account, such as email, user.emails[].value, or {header: NAME}"),
		yamlfile.Optional("scope", func(v *yaml.Node) { w.Scope = d.scope(v) }, "without it the question is refused"),
	}))
	if d.Count() == before {
		d.consistent(n, w.Ask)
	}
	return w
}

func (d *decoder) revoke(n *yaml.Node) Revoke {
	var r Revoke
	before := d.Count()
	d.Mapping(n, "revoke", slices.Concat([]yamlfile.Member{
		yamlfile.Required("url", func(v *yaml.Node) { r.Ask.URL = d.asked(v) }, "what is requested, with the token"),
	}, d.howToAsk(&r.Ask), []yamlfile.Member{
		yamlfile.Optional("done", func(v *yaml.Node) { r.Done = d.signs(v, "done") }, "how it is said that the token has ended; default: by a status of success"),
	}))
	if d.Count() == before {
		how := r.Ask
		how.Unknown = r.Done // signs all the same
		d.consistent(n, how)
	}
	return r
}

func (d *decoder) usable(n *yaml.Node) []Usability {
	var list []Usability
	d.Named(n, "usable", func(base, v *yaml.Node) {
		d.baseWords = append(d.baseWords, base)
		word := d.Word(v, "usable", []string{"never", "by_scope"})
		list = append(list, Usability{Base: base.Value, Never: word == "never"})
	})
	return list
}
