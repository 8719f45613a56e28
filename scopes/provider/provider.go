package provider

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/scopes"
)

// A Provider is what is known of a service before anyone asks it: a YAML file,
// built in or the user's own. It is read-only once decoded, and then safe for
// concurrent use.
type Provider struct {
	Name          string // of the built-in file; else the file's path or the issuer's URL
	File          string // that said any of this; "" for a built-in one as it stands
	Servers       []Server
	DefaultServer string
	ServerFrom    string // member of the token response that names the server; "" where none does
	Client        Client
	Credentials   []CredentialKind
	Implies       scopes.Implications
	Refusals      []Refusal
	Denials       []Denial
	RefusalBody   []RefusalBody
	Starter       string // scopes of a new manifest, as YAML text of a list; "" for none
}

// A Server is one deployment of a provider: a region, a development stack.
type Server struct {
	Name     string
	Issuer   string // RFC 8414 §2, an identifier: compared byte by byte
	Bases    []Base // in the file's order; the issuer is not among them
	AskOn401 bool   // a key that another server refused may be asked about here
}

// A Base is a named URL prefix on which operations stand.
type Base struct {
	Name string
	URL  string // without a final slash
}

// Base returns the URL of the named base; "issuer" is one too. ok is false where
// the server has none of that name.
func (s Server) Base(name string) (u string, ok bool) {
	if name == IssuerBase {
		return strings.TrimSuffix(s.Issuer, "/"), true
	}
	for _, b := range s.Bases {
		if b.Name == name {
			return b.URL, true
		}
	}
	return "", false
}

// IssuerBase is the base that every server has.
const IssuerBase = "issuer"

// Expand replaces a leading {base} of a template by the base's URL; ok is false
// where this server has no such base, or what follows is no path: appended, that
// could make another host of it.
func (s Server) Expand(template string) (expanded string, ok bool) {
	inner, found := strings.CutPrefix(template, "{")
	if !found {
		return template, true
	}
	base, rest, closed := strings.Cut(inner, "}")
	u, ok := s.Base(base)
	if !ok || !closed || rest != "" && rest[0] != '/' {
		return "", false
	}
	return u + rest, true
}

// A Redirect is the registered redirect URI on loopback (RFC 8252 §7.3).
type Redirect struct {
	Host  string // localhost, 127.0.0.1 or [::1], as registered
	Path  string
	Ports []int // those registered, in order of preference; none: any port will do
}

// URI is the redirect URI on a port. The port is in it even where it is the scheme's own: it is
// compared with what was registered, byte by byte.
func (r Redirect) URI(port int) string { return fmt.Sprintf("http://%s:%d%s", r.Host, port, r.Path) }

// URIs are the redirect URIs that a server has to know of: one for each port, or one without a port
// where any will do (RFC 8252 §7.3).
func (r Redirect) URIs() []string {
	if len(r.Ports) == 0 {
		return []string{"http://" + r.Host + r.Path}
	}
	list := make([]string, len(r.Ports))
	for i, port := range r.Ports {
		list[i] = r.URI(port)
	}
	return list
}

// String is what to register, for people.
func (r Redirect) String() string {
	if len(r.Ports) == 0 {
		return r.URIs()[0] + " (on any port)"
	}
	return strings.Join(r.URIs(), ", ")
}

// A Parameter is a name and a value of a request.
type Parameter struct{ Name, Value string }

// A CredentialKind is what a provider file says of one kind of credential.
type CredentialKind struct {
	Prefix  string // by which it is told; "" for every credential that no other prefix fits
	Kind    scopes.Kind
	Label   string     // what people call it, with its article: "a personal API key"
	Env     []string   // environment variables that hold one, first found wins
	Create  string     // where one is made: a URL, {base} allowed
	Inspect Inspection // how to ask what it holds
	Usable  []Usability

	TokenType string // token_type under which the server gives one, where that is not Bearer; "" for Bearer

	Renewable bool     // a login obtains it, and can obtain another
	Programs  Programs // whether it is meant for programs
}

// Programs says whether a kind of credential is meant for programs, as an API key is.
type Programs string

// What a file says of that; "" where it says nothing.
const (
	ProgramsMeant Programs = "meant" // also where the file names variables that hold one
	ProgramsNever Programs = "never" // whatever it is good for, it is not what a program brings
)

// An Inspection is how the holder of a credential asks what it holds. With
// Introspection set it is RFC 7662 at the endpoint that the metadata names;
// otherwise a GET of URL. The zero value: nobody can be asked.
type Inspection struct {
	URL           string // {base} allowed
	Introspection bool
	JSON          bool   // the introspection request's body is JSON, where RFC 7662 §2.1 has a form
	Bearer        bool   // who introspects is the credential itself; otherwise the client, by its client_id
	Scopes        string // member of the answer that lists the scopes
	Reach         []ReachMember
	Expires       string // member with the end of life: seconds since 1970 or RFC 3339
}

// A ReachMember is the member of an answer that lists the things of one sort on which the
// credential works; without it, or with an empty one, it works on all.
type ReachMember struct {
	Of     string // the sort: project, organization, repository
	Member string
}

// Possible reports whether there is any way to ask.
func (i Inspection) Possible() bool { return i.Introspection || i.URL != "" }

// AsItself reports whether the credential is what asks: a refusal of whoever asks is one of the
// credential then.
func (i Inspection) AsItself() bool { return !i.Introspection || i.Bearer }

// A Usability says whether a kind of credential can serve a base.
type Usability struct {
	Base  string
	Never bool // usable: never; otherwise by_scope
}

// Serves reports whether the kind can serve the named base at all; its scopes are
// another question.
func (k CredentialKind) Serves(base string) bool {
	return !slices.Contains(k.Usable, Usability{Base: base, Never: true})
}

// A Refusal is one wording in which a provider refuses, and what it means.
type Refusal struct {
	Status int
	Base   string // "" for every base
	Text   string // a string in the answer's body; {name} stands for any text
	Means  Meaning
	AnyOf  bool   // of the scopes that the response names, any one is enough
	Advice string // what helps; "" where the server's own words are enough
}

// A Denial is one error response of the authorization server, and what it means there.
type Denial struct {
	Place  Place
	Code   string // error (RFC 6749 §4.1.2.1, §5.2)
	Text   string // a string in error_description; {name} stands for any text; "" for every one
	Means  Meaning
	Advice string // what helps; "" where what is true of the code is enough
}

// A Place is where an authorization server denies something.
type Place string

// The places.
const (
	PlaceAuthorize    Place = "authorize"    // in the browser (RFC 6749 §4.1.2.1)
	PlaceToken        Place = "token"        // at the token endpoint (RFC 6749 §5.2)
	PlaceRegistration Place = "registration" // of a client (RFC 7591 §3.2.2)
)

func places() []string {
	return []string{string(PlaceAuthorize), string(PlaceToken), string(PlaceRegistration)}
}

// A Meaning is what a wording of a refusal means.
type Meaning string

// What a wording can mean.
const (
	MeaningMissingScope     Meaning = "missing_scope"       // a scope is missing: what stands for {scope}, if the wording has that
	MeaningNotAScopeProblem Meaning = "not_a_scope_problem" // no scope helps
	MeaningRejected         Meaning = "rejected"            // the credential as such is not accepted
	MeaningSilent           Meaning = "silent"              // nothing: it is said whatever is wrong
)

// meanings are the words for them in a provider file.
func meanings() []string {
	return []string{string(MeaningMissingScope), string(MeaningNotAScopeProblem), string(MeaningRejected), string(MeaningSilent)}
}

// A Failing is why a request got no response of success, as far as the shape of an error names it.
type Failing string

// The reasons that an error's shape can name.
const (
	FailingRefused     Failing = "refused"     // whoever asks may not
	FailingCredential  Failing = "credential"  // nobody knows who asks
	FailingUnreachable Failing = "unreachable" // the server gave no response
	FailingRequest     Failing = "request"     // the request leads nowhere
)

func failings() []string {
	return []string{string(FailingRefused), string(FailingCredential), string(FailingUnreachable), string(FailingRequest)}
}

// A RefusalBody is the shape in which the clients of one base expect an error.
type RefusalBody struct {
	Base string
	JSON string             // JSON text; the string "{message}" stands for the verdict's first line
	Of   map[Failing]string // the same for one reason, where it has another shape
}

// RefusalShape is the shape in which the clients of a base expect an error; "" where the file does
// not say.
func (p *Provider) RefusalShape(base string, why Failing) string {
	for _, b := range p.RefusalBody {
		if b.Base == base {
			return cmp.Or(b.Of[why], b.JSON)
		}
	}
	return ""
}

// ForPrograms is the first kind that is meant for programs; ok is false where there is none.
func (p *Provider) ForPrograms() (kind CredentialKind, ok bool) {
	i := slices.IndexFunc(p.Credentials, func(k CredentialKind) bool { return k.Programs == ProgramsMeant })
	if i < 0 {
		return CredentialKind{}, false
	}
	return p.Credentials[i], true
}

// Lookup returns the server of that name, or whose issuer is that URL, give or take
// a final slash.
func (p *Provider) Lookup(nameOrURL string) (Server, bool) {
	for _, s := range p.Servers {
		if s.Name == nameOrURL || strings.TrimSuffix(s.Issuer, "/") == strings.TrimSuffix(nameOrURL, "/") {
			return s, true
		}
	}
	return Server{}, false
}

// ServerNames lists the servers in the file's order.
func (p *Provider) ServerNames() []string {
	names := make([]string, len(p.Servers))
	for i, s := range p.Servers {
		names[i] = s.Name
	}
	return names
}

// BaseNames lists every base of any server, and [IssuerBase] first.
func (p *Provider) BaseNames() []string {
	names := []string{IssuerBase}
	for _, s := range p.Servers {
		for _, b := range s.Bases {
			if !slices.Contains(names, b.Name) {
				names = append(names, b.Name)
			}
		}
	}
	return names
}

// ReachWords are the words for what any kind of credential can be limited to, sorted.
func (p *Provider) ReachWords() []string {
	var words []string
	for _, k := range p.Credentials {
		for _, r := range k.Inspect.Reach {
			words = append(words, r.Of)
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// KindOf tells a credential by its prefix, the longest that fits; the zero
// prefix's entry, else a bare [scopes.UnknownKind], where none does.
func (p *Provider) KindOf(credential string) CredentialKind {
	best := CredentialKind{Kind: scopes.UnknownKind, Label: "a credential of an unknown kind"}
	for _, k := range p.Credentials {
		if strings.HasPrefix(credential, k.Prefix) && len(k.Prefix) >= len(best.Prefix) {
			best = k
		}
	}
	return best
}

// KindOfToken is [Provider.KindOf] for what a login obtained: where no prefix tells, it is an
// [scopes.AccessToken] all the same.
func (p *Provider) KindOfToken(access string) CredentialKind {
	k := p.KindOf(access)
	if k.Prefix == "" && !k.Renewable {
		k.Kind, k.Label, k.Create, k.Renewable = scopes.AccessToken, "an OAuth access token", "", true
	}
	return k
}

// Hosts lists every host that the provider names, each once, in the file's order,
// as host or host:port where the port is not its scheme's own.
func (p *Provider) Hosts() []string {
	var hosts []string
	add := func(raw string) {
		if host := HostOf(raw); host != "" && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	for _, s := range p.Servers {
		add(s.Issuer)
		for _, b := range s.Bases {
			add(b.URL)
		}
	}
	for _, k := range p.Credentials {
		if strings.Contains(k.Inspect.URL, "://") {
			add(k.Inspect.URL)
		}
	}
	return hosts
}

// MCPBase is the name of the base on which a provider's MCP server stands.
const MCPBase = "mcp"

// CallsMCP reports whether a request is a message to an MCP server.
func CallsMCP(method, base string) bool { return base == MCPBase && method == http.MethodPost }

// HostOf is the host of a URL in lower case, with its port where that is not the
// scheme's own; "" for what is no absolute URL.
func HostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return ""
	}
	return hostOf(u)
}

func hostOf(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" || port == "443" && strings.EqualFold(u.Scheme, "https") || port == "80" && strings.EqualFold(u.Scheme, "http") {
		if strings.Contains(host, ":") {
			return "[" + host + "]"
		}
		return host
	}
	return net.JoinHostPort(host, port)
}
