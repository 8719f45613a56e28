package credential

import (
	"slices"

	"github.com/ambit-auth/ambit/scopes"
)

// A Standing is what a server says of a credential that it is asked about.
type Standing string

// The standings. Nothing follows for a credential from the last two.
const (
	StandingKnown    Standing = "known"     // the server accepts the credential, and said what it holds, if it says that
	StandingExpired  Standing = "expired"   // the server said that it knows the credential, and that it has ended
	StandingNotKnown Standing = "not_known" // the server said that it does not accept the credential
	StandingNoAnswer Standing = "no_answer" // the server was asked, and did not tell
	StandingNotAsked Standing = "not_asked" // there is no way to ask the server
)

// An Outcome is what came of one server's being asked about a credential.
type Outcome struct {
	Server   string // the provider's name of it
	Standing Standing
	Grant    scopes.Grant // what the credential holds there; zero unless it is known
	Account  string       // whose it is; "" where the server did not say
	Err      error        // what stood in the way; nil where it is known
}

// An Inquiry is what came of asking servers about one credential, an outcome for each of
// them, the server that refused it first. It is empty where nobody thought of asking.
type Inquiry []Outcome

// At returns the outcome of a server.
func (q Inquiry) At(server string) (Outcome, bool) {
	i := slices.IndexFunc(q, func(o Outcome) bool { return o.Server == server })
	if i < 0 {
		return Outcome{}, false
	}
	return q[i], true
}

// Of returns the outcomes of one standing.
func (q Inquiry) Of(s Standing) []Outcome {
	return slices.DeleteFunc(slices.Clone(q), func(o Outcome) bool { return o.Standing != s })
}

// Servers names the servers whose outcome has one standing.
func (q Inquiry) Servers(s Standing) []string {
	var names []string
	for _, o := range q.Of(s) {
		names = append(names, o.Server)
	}
	return names
}
