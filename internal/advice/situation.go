package advice

import (
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Problem is what there is to do something about.
type Problem int

// The problems.
const (
	Unexplained    Problem = iota // nobody knows why
	Lacking                       // the credential lacks scopes
	Ended                         // the credential is expired, revoked or mistyped
	WrongKind                     // a credential of its kind can never serve
	Elsewhere                     // the credential belongs to another server
	Unreached                     // it may belong to a server that did not answer
	Replaced                      // the program sent another credential than the one that it was given
	NoScope                       // no scope helps
	Renewed                       // the credential was renewed after it was refused
	Waiting                       // the credential could not be renewed just now
	Denying                       // the server refuses to renew a login, for another reason than the login
	Unused                        // the program sent no request with the lease
	Failed                        // the program ended with an error of its own, and sent nothing
	NotReached                    // a server did not answer
	NotTrusted                    // a server's certificate is of an authority that is not known
	BadCertificate                // a server's certificate is wrong by itself
	Broken                        // a server took the connection, and gave no usable response
	Absent                        // there is no credential
)

// A Situation is all that advice is made from.
type Situation struct {
	Problem Problem

	Missing []string // for Lacking and Absent: the needs' names, but for those of Withheld and Unasked
	Unasked []string // needs for which the last login did not ask
	// Undeclared are scopes that the manifest does not have: a login requests them where it is told to.
	Undeclared []string
	Withheld   []Remark // needs for which no login would ask, with the reason
	Doubted    []Remark // those of Missing for which one asked in vain, with the reason
	Base       string   // for WrongKind: that is to be served; "" for any
	Server     string   // for Elsewhere and Unreached: the provider's name of it
	Settings   []Remark // for Replaced: files that can have done it, with what to do there
	Logout     string   // for Replaced: the command that ends the program's own login
	Denied     Denied   // for Denying: what the server said; the rest is filled in
	Words      string   // for NoScope: what helps, in the words of the provider's file
	Link       string   // for NoScope: where that is done; "" where the file does not say

	Agent string   // for Unused: what --agent takes for the program; "" where nothing is known of it
	Lease string   // for Unused: the variable that holds the lease
	URLs  []string // for Unused: those that hold the URLs of the bases, the ones that matter most first

	IsLogin    bool   // the credential came of a login; otherwise someone made it
	Source     string // where it was found, in words; "" where nobody said
	Unattended bool   // nobody is there who could log in: a pipeline

	Wanted   []string // the scopes that another key would hold, see [Wanted]
	Provider *provider.Provider
	At       provider.Server         // where the credential was used
	Kind     provider.CredentialKind // of the credential
	Run      Invocation
}

// Wanted are the scopes that a key holds with which all needs are met: of several that are enough, the
// first.
func Wanted(needs []scopes.Need) []string {
	var list []string
	for _, need := range needs {
		if len(need.AnyOf) > 0 {
			list = append(list, need.AnyOf[0])
		}
	}
	return scopes.NewSet(list...).Slice()
}

// Lack notes a need that the credential does not meet; withheld is why no login would ask for it, or in vain,
// and "" where one would.
func (s *Situation) Lack(need scopes.Need, asked scopes.Set, withheld string) {
	_, _, was := need.MetBy(asked, s.Provider.Implies)
	was = was && s.IsLogin
	switch {
	case !need.Declared():
		s.Undeclared = append(s.Undeclared, need.Name())
	case withheld != "" && !was:
		s.Withheld = append(s.Withheld, Remark{About: need.Name(), Text: withheld})
	case withheld != "":
		s.Doubted = append(s.Doubted, Remark{About: need.Name(), Text: withheld})
		s.Missing = append(s.Missing, need.Name())
	case was || asked.Len() == 0 || !s.IsLogin:
		s.Missing = append(s.Missing, need.Name())
	default:
		s.Unasked = append(s.Unasked, need.Name())
	}
}

// noLogin reports whether no login can help: a key does.
func (s *Situation) noLogin() bool { return s.Unattended || s.At.NoLogin }

// A Remark says something about a thing.
type Remark struct {
	About string
	Text  string
}
