package provider

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/scopes"
)

// A Provider is what is known of a service before anyone asks it: a YAML file,
// built in or the user's own. It is read-only once decoded, and then safe for
// concurrent use.
type Provider struct {
	Name          string   // of the built-in file; else the file's path or the issuer's URL
	File          string   // that said any of this; "" for a built-in one as it stands
	Service       string   // the built-in file that this is, or begins with; "" for none
	OwnWays       bool     // another file than that says how a credential is sent, or all of where
	OwnHosts      []string // that another file than that says something of, in the form of [HostOf]
	Servers       []Server
	DefaultServer string
	ServerFrom    string // member of the token response that names the server; "" where none does
	Client        Client
	Credentials   []CredentialKind
	Scopes        ScopeFacts
	Evidence      []EvidenceForm // where descriptions name scopes, beside the places that are known anyway
	TokenResponse TokenResponse
	Whoami        Whoami
	Implies       scopes.Implications // by whatever names Scopes knows
	CannotTell    []string            // what the service does not reveal, in plain words
	Starter       string              // scopes of a new manifest, as YAML text of a list; "" for none

	starterIn   string // the file in which Starter stands
	starterLine int    // before its first

	voice func() Voice // nil: nothing is known

	Parameters []Parameter  // {words} of the servers' URLs, each with its value; "" for one without
	written    []Server     // as the file has them, with their {words}
	open       []OpenServer // those that lack a value, and are not among Servers
}

// OwnStarter is the text of Starter where the file itself has it, and the line before its first; own is
// false where it comes of another file.
func (p *Provider) OwnStarter() (text string, line int, own bool) {
	return p.Starter, p.starterLine, p.Starter != "" && p.starterIn == p.File
}

// A Server is one deployment of a provider: a region, a development stack.
type Server struct {
	Name     string
	Issuer   string // RFC 8414 §2, an identifier: compared byte by byte
	Bases    []Base // in the file's order; the issuer is not among them
	AskOn401 bool   // a key that another server refused may be asked about here

	// Metadata are members of the server's metadata (RFC 8414 §2) that the file gives: each takes
	// the place of what the server says itself, or does not say. A value is a string, a list of
	// them, or a bool.
	Metadata   map[string]any
	NoDocument bool // the server publishes no metadata, and is not asked for it
	NoLogin    bool // nobody can log in: its credentials are keys, which people make

	IDTokenIssuer string // iss of the server's ID tokens, where that is not Issuer: {name} stands for the claim of that name; ""
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
	Path  string // "" for none: http://localhost
	Ports []int  // those registered, in order of preference; none: any port will do
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

// A Whoami is where the service says whose credential asks, for services whose logins do not. The
// zero value: nowhere.
type Whoami struct {
	Ask   Inspection // a URL, how it is asked, and the account in its response
	Scope string     // without which the question is refused; "" where any credential may ask
}

// A Stage is that part of a login in which an authorization server denies something.
type Stage string

// The stages, by the words of a provider file.
const (
	StageAuthorize    Stage = "authorize"    // in the browser (RFC 6749 §4.1.2.1)
	StageToken        Stage = "token"        // at the token endpoint (RFC 6749 §5.2)
	StageRegistration Stage = "registration" // of a client (RFC 7591 §3.2.2)
)

func stages() []string {
	return []string{string(StageAuthorize), string(StageToken), string(StageRegistration)}
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
func (p *Provider) ServerNames() []string { return namesOf(p.Servers) }

// AllServerNames lists those too that lack a parameter.
func (p *Provider) AllServerNames() []string { return namesOf(p.written) }

func namesOf(servers []Server) []string {
	names := make([]string, len(servers))
	for i, s := range servers {
		names[i] = s.Name
	}
	return names
}

// BaseNames lists every base of any server, and [IssuerBase] first.
func (p *Provider) BaseNames() []string {
	names := []string{IssuerBase}
	all := slices.Clone(p.Servers)
	for _, s := range p.open {
		all = append(all, s.Server)
	}
	for _, s := range all {
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
		for _, r := range k.Reach() {
			words = append(words, r.Of)
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
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
		for _, endpoint := range s.endpoints() {
			add(endpoint)
		}
	}
	asked := []string{p.Whoami.Ask.URL}
	for _, k := range p.Credentials {
		asked = append(asked, k.Revoke.Ask.URL)
		for _, way := range k.Inspect {
			asked = append(asked, way.URL)
		}
	}
	for _, u := range asked {
		if strings.Contains(u, "://") {
			add(u)
		}
	}
	return hosts
}

// MCPBase is the name of the base on which a provider's MCP server stands.
const MCPBase = "mcp"

// CallsMCP reports whether a request is a message to an MCP server.
func CallsMCP(method, base string) bool { return base == MCPBase && method == http.MethodPost }
