package view

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Logout is ambit.logout/v1.
type Logout struct {
	Removed bool   `json:"removed"` // there was one
	Revoked bool   `json:"revoked"` // the server was told, and agreed
	Store   string `json:"store"`
	Remark  string `json:"remark"` // why it was not revoked
}

// Text implements [View].
func (v Logout) Text(p *Printer) {
	switch {
	case !v.Removed:
		p.line("not logged in")
	case v.Revoked:
		p.line("logged out: revoked at the server, and removed from %s", v.Store)
	default:
		p.line("logged out: removed from %s; not revoked: %s", v.Store, v.Remark)
	}
}

// JSON implements [View].
func (v Logout) JSON(e Envelope) any {
	return struct {
		Envelope
		Logout
	}{e, v}
}

// A Logins is ambit.logins/v1: every login of the user.
type Logins struct {
	List []ambit.StoredLogin
	Now  time.Time
}

type loginsJSON struct {
	Envelope
	Logins []loginJSON `json:"logins"`
}

// A loginJSON is one stored login. What cannot be read has a problem, and nothing of its credential; one
// that its server does not renew has a problem too.
type loginJSON struct {
	Issuer    string      `json:"issuer"`
	Server    string      `json:"server"`   // as its provider calls it
	Account   string      `json:"account"`  // who is logged in; "" where no server said it
	KeptAs    string      `json:"kept_as"`  // the name of --account; "" for a login without one
	Manifest  string      `json:"manifest"` // the name of the program that it is for
	File      string      `json:"file"`     // of its manifest
	Store     string      `json:"store"`
	Kind      scopes.Kind `json:"kind"`
	Prefix    string      `json:"prefix"`
	Since     *time.Time  `json:"since"`      // when somebody logged in
	RenewedAt *time.Time  `json:"renewed_at"` // null where it was not renewed
	ExpiresAt *time.Time  `json:"expires_at"`
	Renewable bool        `json:"renewable"`
	Problem   string      `json:"problem"`
}

// JSON implements [View].
func (v Logins) JSON(e Envelope) any {
	out := loginsJSON{Envelope: e, Logins: []loginJSON{}}
	for _, l := range v.List {
		out.Logins = append(out.Logins, loginOf(l))
	}
	return out
}

func loginOf(l ambit.StoredLogin) loginJSON {
	out := loginJSON{Issuer: l.Issuer, Account: l.Account.Told, KeptAs: l.Account.Name, Manifest: l.Manifest, File: l.File, Store: l.Store, Since: moment(l.Since), Problem: problemOf(l)}
	if c := l.Credential; c != nil {
		out.Server, out.Kind, out.Prefix = c.Server, c.Kind, c.Prefix
		out.RenewedAt, out.ExpiresAt, out.Renewable = moment(renewedAt(l)), moment(c.ExpiresAt), c.Renewable()
	}
	return out
}

// renewedAt is when a login was renewed last; zero for never.
func renewedAt(l ambit.StoredLogin) time.Time {
	if at := l.Credential.ObtainedAt; at.Sub(l.Since) > time.Second { // the list has whole seconds
		return at
	}
	return time.Time{}
}

// problemOf is why nothing is known of a login but that there is one, or why its server does not renew
// it; "" where all is well.
func problemOf(l ambit.StoredLogin) string {
	switch {
	case l.Err == nil && l.Unrenewable == nil:
		return ""
	case l.Err == nil:
		return l.Unrenewable.Error()
	case errors.Is(l.Err, ambit.ErrNoCredential):
		return "it is not in " + l.Store + " any more"
	}
	return l.Err.Error()
}

// Text implements [View].
func (v Logins) Text(p *Printer) {
	if len(v.List) == 0 {
		p.line("no login is stored")
		return
	}
	stores := make(map[string]bool)
	for _, l := range v.List {
		stores[l.Store] = true
	}
	rows := make([][]string, len(v.List))
	for i, l := range v.List {
		facts := v.facts(p, l)
		if len(stores) > 1 {
			facts = append(facts, "in "+text.Printable(l.Store))
		}
		rows[i] = []string{
			p.short(cmp.Or(provider.HostOf(l.Issuer), l.Issuer, "unknown"), roomForName),
			p.short(cmp.Or(l.Account.Name, l.Account.Told, "-"), roomForName), p.short(cmp.Or(l.Manifest, "unknown"), roomForProgram),
			strings.Join(facts, "; "),
		}
	}
	p.table([]string{"SERVER", "ACCOUNT", "PROGRAM", "LOGIN"}, rows)
}

// The columns of a table of logins, as wide as 80 columns let them be.
const (
	roomForName    = 22
	roomForProgram = 14
)

func (v Logins) facts(p *Printer, l ambit.StoredLogin) []string {
	if l.Err != nil {
		return []string{p.Paint.Red(text.Printable(problemOf(l)))}
	}
	var facts []string
	if l.Account.Name != "" && l.Account.Told != "" && l.Account.Told != l.Account.Name {
		facts = append(facts, text.Printable(l.Account.Told))
	}
	facts = append(facts, span(v.Now.Sub(l.Since))+" old")
	if at := renewedAt(l); !at.IsZero() {
		facts = append(facts, "renewed "+span(v.Now.Sub(at))+" ago")
	}
	life := Lifetime(l.Credential.ExpiresAt, v.Now)
	switch {
	case l.Unrenewable != nil:
		return append(facts, life, p.Paint.Red(text.Printable(problemOf(l))))
	case l.Credential.Renewable() && !l.Credential.LivesAt(v.Now):
		life += ", and renewed when it is used"
	}
	return append(facts, life)
}

// A LogoutAll is ambit.logout/v1 of every login.
type LogoutAll struct{ Ended []ambit.Ended }

type endedJSON struct {
	loginJSON
	Removed bool   `json:"removed"`
	Revoked bool   `json:"revoked"`
	Remark  string `json:"remark"` // why it was not revoked, or not removed
}

// JSON implements [View].
func (v LogoutAll) JSON(e Envelope) any {
	out := struct {
		Envelope
		Removed bool        `json:"removed"` // there was one, and none is left
		Revoked bool        `json:"revoked"` // each of them
		Ended   []endedJSON `json:"ended"`
	}{Envelope: e, Removed: len(v.Ended) > 0, Revoked: len(v.Ended) > 0, Ended: []endedJSON{}}
	for _, one := range v.Ended {
		out.Removed, out.Revoked = out.Removed && one.Err == nil, out.Revoked && one.Revoked
		out.Ended = append(out.Ended, endedJSON{loginOf(one.StoredLogin), one.Removed, one.Revoked, remarkOn(one)})
	}
	return out
}

func remarkOn(e ambit.Ended) string {
	switch {
	case e.Err != nil:
		return FirstLine(e.Err.Error())
	case e.Why != nil && e.Removed:
		return FirstLine(e.Why.Error())
	}
	return ""
}

// Text implements [View].
func (v LogoutAll) Text(p *Printer) {
	if len(v.Ended) == 0 {
		p.line("not logged in")
	}
	for _, one := range v.Ended {
		p.line("%s: %s", text.Printable(whose(one.StoredLogin)), p.became(one))
	}
}

// whose names a login in a sentence.
func whose(l ambit.StoredLogin) string {
	name := cmp.Or(provider.HostOf(l.Issuer), l.Issuer, "a login of an unknown server")
	if l.Account != (ambit.Account{}) {
		name += ", " + l.Account.String()
	}
	if l.Manifest != "" {
		name += ", for " + l.Manifest
	}
	return name
}

func (p *Printer) became(e ambit.Ended) string {
	store, remark := text.Printable(e.Store), text.Printable(remarkOn(e))
	switch {
	case e.Err != nil:
		return p.Paint.Red("still there: " + remark)
	case !e.Removed:
		return "was not in " + store + " any more"
	case e.Revoked:
		return "revoked at the server, and removed from " + store
	}
	return "removed from " + store + "; not revoked: " + remark
}
