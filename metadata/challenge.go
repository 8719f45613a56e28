package metadata

import (
	"net/http"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
)

// maxChallenges is how many bytes of WWW-Authenticate fields are looked at: more
// than any server's own limit on a header, so only an attack is cut.
const maxChallenges = 64 << 10

// Challenge is one challenge of a WWW-Authenticate field (RFC 9110
// §11.6.1): what a server wants before it lets a request pass. Its values come from
// the server as they are and are to be quoted when shown.
type Challenge struct {
	// Scheme is the authentication scheme as the server wrote it; see Is.
	Scheme string
	// Token68 is the data of schemes that have no parameters, such as Negotiate.
	Token68 string
	// Params holds the parameters, names in lower case, quoted values unescaped. Of
	// one that stands twice, which is forbidden, the first counts. nil if there is none.
	Params map[string]string
}

// Is compares the scheme, in which case does not matter (RFC 9110 §11.1).
func (c Challenge) Is(scheme string) bool { return strings.EqualFold(c.Scheme, scheme) }

// Scope is the scope parameter: the scopes that the request needs, space separated
// (RFC 6750 §3).
func (c Challenge) Scope() string { return c.Params["scope"] }

// ErrorCode is the error parameter: invalid_request, invalid_token,
// insufficient_scope (RFC 6750 §3.1), or one of another specification.
func (c Challenge) ErrorCode() string { return c.Params["error"] }

// ErrorDescription is the error_description parameter, text for developers.
func (c Challenge) ErrorDescription() string { return c.Params["error_description"] }

// Bearer returns the first Bearer challenge of h, and whether there is one.
func Bearer(h http.Header) (Challenge, bool) {
	for _, challenge := range ParseChallenges(h) {
		if challenge.Is("Bearer") {
			return challenge, true
		}
	}
	return Challenge{}, false
}

// ParseChallenges reads all WWW-Authenticate fields of h, in their order. What
// follows no grammar is skipped up to the next comma, so that garbage beside a
// challenge does not spoil it.
func ParseChallenges(h http.Header) []Challenge {
	var challenges []Challenge
	left := maxChallenges
	for _, field := range h.Values("WWW-Authenticate") {
		field = field[:min(len(field), left)]
		left -= len(field)
		p := challengeParser{rest: field}
		challenges = append(challenges, p.challenges()...)
	}
	return challenges
}

// challengeParser reads one field. The grammar uses the comma twice, between
// challenges and between parameters; what tells them apart is the "=" after a
// parameter's name.
type challengeParser struct {
	rest string // what is not read yet
}

func (p *challengeParser) challenges() []Challenge {
	var list []Challenge
	for p.skipSeparators(); p.rest != ""; p.skipSeparators() {
		start := p.rest
		if name, value, ok := p.param(); ok {
			addParam(list, name, value)
			continue
		}
		p.rest = start
		if challenge, ok := p.scheme(); ok {
			list = append(list, challenge)
			continue
		}
		p.rest = start
		p.skipToComma()
	}
	return list
}

// addParam gives the parameter to the last challenge; before any it is garbage.
func addParam(list []Challenge, name, value string) {
	if len(list) == 0 {
		return
	}
	last := &list[len(list)-1]
	if last.Params == nil {
		last.Params = make(map[string]string)
	}
	name = strings.ToLower(name)
	if _, twice := last.Params[name]; !twice {
		last.Params[name] = value
	}
}

// scheme reads auth-scheme [ 1*SP token68 ]. Parameters, also the first, are left
// to the caller.
func (p *challengeParser) scheme() (Challenge, bool) {
	name := p.token()
	if name == "" {
		return Challenge{}, false
	}
	if !p.atBoundary() {
		return Challenge{}, false
	}
	challenge := Challenge{Scheme: name}
	p.skipSpace()
	before := p.rest
	challenge.Token68 = p.token68()
	if challenge.Token68 == "" || !p.atEnd() {
		challenge.Token68, p.rest = "", before
	}
	return challenge, true
}

// param reads token BWS "=" BWS ( token / quoted-string ). After it a blank will do
// for the comma: servers that forget it are many, and nothing else can be meant.
func (p *challengeParser) param() (name, value string, ok bool) {
	name = p.token()
	p.skipSpace()
	if name == "" || !strings.HasPrefix(p.rest, "=") {
		return "", "", false
	}
	p.rest = p.rest[1:]
	p.skipSpace()
	if strings.HasPrefix(p.rest, `"`) {
		value, ok = p.quotedString()
	} else {
		value = p.token()
		ok = value != ""
	}
	return name, value, ok && p.atBoundary()
}

func (p *challengeParser) quotedString() (string, bool) {
	var value strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			p.rest = p.rest[i+1:]
			return value.String(), true
		case c == '\\' && i+1 < len(p.rest):
			i++
			value.WriteByte(p.rest[i])
		default:
			value.WriteByte(c)
		}
	}
	return "", false
}

func (p *challengeParser) token() string {
	return p.take(func(c byte) bool { return text.IsTokenByte(c) })
}

func (p *challengeParser) token68() string {
	before := p.rest
	letters := p.take(func(c byte) bool { return isAlphanumeric(c) || strings.IndexByte("-._~+/", c) >= 0 })
	if letters == "" {
		return ""
	}
	p.take(func(c byte) bool { return c == '=' })
	return before[:len(before)-len(p.rest)]
}

func (p *challengeParser) take(wanted func(byte) bool) string {
	n := 0
	for n < len(p.rest) && wanted(p.rest[n]) {
		n++
	}
	taken := p.rest[:n]
	p.rest = p.rest[n:]
	return taken
}

func (p *challengeParser) skipSpace() { p.rest = strings.TrimLeft(p.rest, " \t") }

func (p *challengeParser) skipSeparators() { p.rest = strings.TrimLeft(p.rest, " \t,") }

func (p *challengeParser) skipToComma() {
	if comma := strings.IndexByte(p.rest, ','); comma >= 0 {
		p.rest = p.rest[comma:]
		return
	}
	p.rest = ""
}

// atEnd is true before a comma too: the end of an element of the list.
func (p *challengeParser) atEnd() bool {
	p.skipSpace()
	return p.rest == "" || p.rest[0] == ','
}

// atBoundary is true where a word has ended: before a blank, a comma, the end.
func (p *challengeParser) atBoundary() bool {
	return p.rest == "" || strings.IndexByte(", \t", p.rest[0]) >= 0
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
