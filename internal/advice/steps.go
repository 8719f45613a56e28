package advice

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// Steps says what to do, the first thing first.
func Steps(s Situation) []Step { return printable(s.steps()) }

func (s *Situation) steps() []Step {
	switch s.Problem {
	case Lacking:
		return s.widen()
	case Ended:
		return s.renew()
	case WrongKind:
		return s.otherKinds()
	case Elsewhere:
		return []Step{{Text: "use the server that the credential belongs to", Command: s.Run.at(s.Server).Command("check")}}
	case Unreached:
		return append([]Step{{
			Text:    "the credential may belong to " + s.Server + ": check there once that server can be reached",
			Command: s.Run.at(s.Server).Command("check"),
		}}, s.renew()...)
	case Replaced:
		return s.remove()
	case NoScope:
		return []Step{{Text: s.Words, URL: s.Link}}
	case Waiting:
		return []Step{{Text: "try again once the server that renews the login responds", Command: s.Run.Command("check")}}
	case Denying:
		return s.allow()
	case Unused:
		return s.route()
	case Failed:
		return []Step{{Text: "see what it says itself"}}
	case NotReached:
		return []Step{{Text: "see whether its address is right, and can be reached from here: network, VPN, HTTPS_PROXY and NO_PROXY"}}
	case NotTrusted:
		return []Step{{Text: OwnAuthority}}
	case BadCertificate:
		return []Step{{Text: WrongCertificate}}
	case Broken:
		return []Step{{Text: NoResponse}}
	case Absent:
		return s.obtain()
	case Renewed:
		return []Step{{Text: "repeat the request"}}
	}
	return s.look()
}

// look finds out what the credential holds: from its server or, of a key about which no server
// can be asked, on the page where such a key is made.
func (s *Situation) look() []Step {
	if s.IsLogin || len(s.Kind.Inspect) > 0 {
		return []Step{{Text: "see what the credential holds", Command: s.Run.Command("status")}}
	}
	text := "ambit cannot ask what this key may do: look it up where the key was created"
	return []Step{s.made(s.Kind, text)}
}

// The ways out where there is no connection to trust, or no response on it.
const (
	OwnAuthority     = "if the certificate is your own authority's, name it with --ca-file; a file that is named already does not have it"
	WrongCertificate = "see whether the address, and this machine's clock, are right; if they are, the server's operator can correct its certificate"
	NoResponse       = "the server was reached, and ended the connection: try again; if it does so again, ask its operator"
)

// obtain gets the first credential.
func (s *Situation) obtain() []Step {
	if s.noLogin() {
		return s.keyFor(listed(s.Missing))
	}
	return []Step{{Text: "log in", Command: s.Run.Command("login")}}
}

// allow gets a client that the server lets renew a login; where nobody can log in, a key does.
func (s *Situation) allow() []Step {
	d := s.Denied
	d.Stage, d.Renewal, d.Provider, d.Server, d.Login = provider.StageToken, true, s.Provider, s.At, s.Run.Command("login")
	step := d.Step()
	if step.Command != "" && s.Unattended {
		return s.keyFor("")
	}
	return []Step{step}
}

// route has the program send its requests through the proxy.
func (s *Situation) route() []Step {
	if s.Agent != "" {
		return []Step{{Text: "see what can send its requests elsewhere", Command: s.Run.Command("doctor") + " --agent " + ShellWord(s.Agent)}}
	}
	urls := "$" + strings.Join(s.URLs[:min(len(s.URLs), namedInLine)], " or $")
	if len(s.URLs) > namedInLine {
		urls += fmt.Sprintf(" or the URL of another of the %d bases", len(s.URLs))
	}
	return []Step{{Text: "if the command starts an agent, name the agent with --agent; otherwise, send $" + s.Lease + " as the Bearer token to " + urls}}
}

// widen gets a credential that holds more.
func (s *Situation) widen() []Step {
	var steps []Step
	named := len(s.Missing)+len(s.Unasked)+len(s.Undeclared) > 0
	switch {
	case !named && len(s.Withheld) > 0:
	case s.IsLogin:
		steps = s.loginAgain()
	case named:
		steps = []Step{s.newKey(listed(s.Missing, s.Unasked, s.Undeclared))}
	case s.Kind.Permissions && !s.IsLogin:
		steps = []Step{s.made(s.Kind, "find out which permission this operation takes, in the server's documentation, and give it to the key where that was made")}
	default: // it is not known what lacks
		steps = append([]Step{{Text: "find out which scope this operation takes: the server's documentation, or its operator, can name it; then declare it in the manifest"}}, s.look()...)
	}
	return slices.Concat(inManifest(s.Doubted, ""), steps, inManifest(s.Withheld, s.leftOut()))
}

// inManifest are steps to look at what the manifest says of needs.
func inManifest(remarks []Remark, introduction string) []Step {
	var steps []Step
	for _, r := range remarks {
		steps = append(steps, Step{Text: "check " + r.About + " in the manifest: " + introduction + r.Text})
	}
	return steps
}

// leftOut introduces why a login would not ask for what a need names.
func (s *Situation) leftOut() string {
	if s.IsLogin {
		return "it was not requested: "
	}
	return "a key may not be able to include it: "
}

// namedInLine is how many scopes a line names.
const namedInLine = 3

// loginAgain gets what a login lacks. A refresh cannot widen a grant (RFC 6749 §6), and
// another login does not always: an authorization server may leave out of its page what
// this client may not have, or show no page at all to someone who consented before.
func (s *Situation) loginAgain() []Step {
	if s.isOwn() {
		return s.allowOwn()
	}
	if s.noLogin() {
		return s.keyFor(listed(s.Missing, s.Unasked, s.Undeclared))
	}
	if set := s.Provider.Scopes.Set.Optional; s.Provider.Scopes.NoRequest && (set.Len() == 0 || len(s.Missing) == 0 || scopes.NewSet(s.Missing...).Minus(set).Len() > 0) {
		return s.loginOnceSet()
	}
	text := "log in again"
	if len(s.Missing) > 0 || len(s.Unasked) == 0 {
		text += ", and leave the boxes ticked"
	}
	steps := []Step{{Text: text, Command: s.Run.Command(loginAdding(s.Undeclared))}}
	if len(s.Undeclared) > 0 {
		steps = append(steps, Step{Text: "to have every login request it, declare " + listed(s.Undeclared) + " in the manifest"})
	}
	if len(s.Unasked) > 0 {
		steps = append(steps, Step{Text: "the last login did not request " + listed(s.Unasked) + "; check whether a login can", Command: s.Run.Command("plan")})
	}
	if len(s.Missing) > 0 {
		steps = append(steps, Step{Text: "if no consent page appears, or it does not offer " + listed(s.Missing[:min(len(s.Missing), namedInLine)]) +
			": revoke this application's access in your account, and log in again"})
		steps = append(steps, s.orKey()...)
	}
	return steps
}

// loginOnceSet gets what a login lacks whose request names no scope: what the client may have is set at
// the server.
func (s *Situation) loginOnceSet() []Step {
	step := Step{Text: "log in again", Command: s.Run.Command("login")}
	if names := listed(s.Missing, s.Unasked, s.Undeclared); names != "" {
		who := "this client"
		if id := s.Provider.Client.IDFor(s.At.Name); id != "" {
			who = "the client " + strconv.Quote(id)
		}
		step.Text = "add " + names + " to the scopes that are set for " + who + " at the server, and log in again"
	}
	return append([]Step{step}, s.orKey()...)
}

// isOwn reports whether the client got the credential for itself: no person is needed for another.
func (s *Situation) isOwn() bool { return s.IsLogin && s.Provider.Client.Own }

// allowOwn gets what a client's own token lacks: the server's operator says what a client may have.
func (s *Situation) allowOwn() []Step {
	var steps []Step
	if len(s.Undeclared) > 0 {
		steps = []Step{{Text: "declare " + listed(s.Undeclared) + " in the manifest: only what is declared there is requested"}}
	}
	if len(s.Missing) > 0 {
		id := strconv.Quote(s.Provider.Client.IDFor(s.At.Name))
		steps = append(steps, Step{Text: "the server's operator can allow " + listed(s.Missing) + " to the client " + id})
	}
	return append(steps, Step{Text: "get another token", Command: s.Run.Command("login")})
}

// loginAdding is the login that requests, beside what is declared and held, what these names stand
// for: of several scopes that are enough, the first.
func loginAdding(names []string) string {
	command := "login"
	for _, name := range names {
		scope, _, _ := strings.Cut(name, "|")
		if strings.Contains(scope, ",") {
			scope = `"` + scope + `"` // the flag takes lists
		}
		command += " --add " + ShellWord(scope)
	}
	return command
}

// newKey replaces the key that was handed over, with one of the same kind where that is one that
// people make. It holds the same, or also what is named.
func (s *Situation) newKey(names string) Step {
	kind, one := s.Kind, "a new one"
	if kind.Permissions && names != "" {
		return s.made(kind, "give the key a permission that covers "+names+", where it was made")
	}
	if names != "" {
		one = "one that also includes " + names
	}
	if kinds := s.forPrograms(); kind.Create == "" && len(kinds) > 0 && kinds[0].Kind != kind.Kind {
		kind, one = kinds[0], kinds[0].Label
		if names != "" {
			one += " that includes " + names
		}
	}
	if s.Source == "" {
		return s.made(kind, "replace the key with "+one)
	}
	return s.made(kind, "replace the key from "+strings.TrimPrefix(s.Source, "the variable ")+" with "+one)
}

// orKey is the way past a login that cannot get what lacks.
func (s *Situation) orKey() []Step {
	kinds := s.forPrograms()
	if len(kinds) == 0 {
		return nil
	}
	return []Step{{Text: "or set " + variablesOf(kinds[0]) + " to " + kinds[0].Label + " that includes what is missing"}}
}

// renew gets another credential that holds the same.
func (s *Situation) renew() []Step {
	switch {
	case !s.IsLogin:
		return []Step{s.newKey("")}
	case s.isOwn():
		return []Step{{Text: "get another token", Command: s.Run.Command("login")}}
	case s.noLogin():
		return s.keyFor("")
	}
	return []Step{{Text: "log in again", Command: s.Run.Command("login")}}
}

// otherKinds gets a credential of a kind that can serve. While a key is there, no login
// is used.
func (s *Situation) otherKinds() []Step {
	steps := s.use("use ")
	if len(steps) > 0 || s.noLogin() {
		return steps
	}
	text := "log in"
	if !s.IsLogin && s.Source != "" {
		text = "remove the key from " + s.Source + ", and log in"
	}
	return []Step{{Text: text, Command: s.Run.Command("login")}}
}

// remove takes away what sent another credential. To log out is advised only where there is a
// login, and nothing else explains it.
func (s *Situation) remove() []Step {
	var steps []Step
	for _, setting := range s.Settings {
		steps = append(steps, Step{Text: "in " + setting.About + ": " + setting.Text})
	}
	switch {
	case len(steps) > 0:
	case s.Logout != "":
		steps = []Step{{Text: "log the program out of its own account", Command: s.Logout}}
	default:
		steps = []Step{{Text: "let the program send the lease in its place: the child finds it in AMBIT_LEASE"}}
	}
	return steps
}

// keyFor is the way out where nobody can log in: a key, in a variable.
func (s *Situation) keyFor(names string) []Step {
	kinds := s.forPrograms()
	var kind provider.CredentialKind
	if len(kinds) > 0 {
		kind = kinds[0]
	}
	text := "set " + variablesOf(kind) + " to " + cmp.Or(kind.Label, "a key")
	if names != "" {
		text += " that includes " + names
	}
	if len(kinds) == 0 {
		return []Step{{Text: text}}
	}
	return []Step{s.made(kind, text)}
}

// variablesOf names the variables from which a key of a kind is taken.
func variablesOf(kind provider.CredentialKind) string {
	if len(kind.Env) == 0 {
		return credential.KeyVariable
	}
	return kind.Env[0] + " or " + credential.KeyVariable
}

// use is the first kind of key that is meant for programs and serves.
func (s *Situation) use(prefix string) []Step {
	if kinds := s.forPrograms(); len(kinds) > 0 {
		return []Step{s.made(kinds[0], prefix+kinds[0].Label)}
	}
	return nil
}

// forPrograms are the kinds of key that the provider means for programs, and that serve.
func (s *Situation) forPrograms() []provider.CredentialKind {
	var kinds []provider.CredentialKind
	for _, kind := range s.Provider.Credentials {
		if kind.Programs == provider.ProgramsMeant && kind.Serves(s.Base) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// made is a step with the page where a kind of key is made.
func (s *Situation) made(kind provider.CredentialKind, text string) Step {
	return Step{Text: text, URL: kind.CreateAt(s.At, s.Wanted)}
}

// listed names scopes in a sentence.
func listed(lists ...[]string) string {
	all := slices.Concat(lists...)
	if len(all) == 1 {
		return scopes.InWords(all[0])
	}
	for i, name := range all {
		if spoken := scopes.InWords(name); spoken != name {
			all[i] = "(" + spoken + ")"
		}
	}
	return text.Listed(all)
}
