package diagnosis_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/refusal/refusaltest"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// Of hundreds of ways in which services refuse, most are read right without a word in a provider
// file, and none names what is held. How many is held here, so that a rule that is better for one
// service is not worse for the rest.
func TestPhrasings(t *testing.T) {
	own := need("own.thing:read")
	for says, want := range map[string]struct {
		least int // that are read right
		right func(p refusaltest.Phrasing) bool
	}{
		refusaltest.SaysScopes: {99, func(p refusaltest.Phrasing) bool { // the scope of another call, which it names
			v := diagnosis.Diagnose(phrasingCase(t, p, []scopes.Need{own}, needsOf(p.Real), nil))
			missing := strings.Split(strings.Join(v.Missing, "|"), "|")
			return v.Cause == diagnosis.CauseMissingScope && slices.Equal(slices.Sorted(slices.Values(missing)), slices.Sorted(slices.Values(p.Scopes))) && (len(v.Missing) == 1 || !p.AnyOf)
		}},
		refusaltest.SaysScope:   {26, func(p refusaltest.Phrasing) bool { return lacksOwn(t, p, own) }},
		refusaltest.SaysDenied:  {38, func(p refusaltest.Phrasing) bool { return lacksOwn(t, p, own) }},
		refusaltest.SaysNothing: {8, func(p refusaltest.Phrasing) bool { return lacksOwn(t, p, own) }},
		refusaltest.SaysOther: {155, func(p refusaltest.Phrasing) bool { // though the call's own scope lacks besides
			v := diagnosis.Diagnose(phrasingCase(t, p, []scopes.Need{own}, nil, []scopes.Need{own}))
			if v.Cause == diagnosis.CauseMissingScope && v.Confidence == diagnosis.ConfidenceProved {
				t.Errorf("%s: proved to lack a scope, and it says %q", p.Service, v.Said)
			}
			return v.Cause != diagnosis.CauseMissingScope
		}},
	} {
		right, wrong := 0, []string{}
		for _, p := range refusaltest.Phrasings(t) {
			p.Missing = p.Scopes
			switch {
			case p.Says != says:
			case want.right(p):
				right++
			default:
				wrong = append(wrong, p.Service)
			}
		}
		if t.Logf("%s: %d right, %d wrong: %q", says, right, len(wrong), wrong); right < want.least {
			t.Errorf("%s: %d read right, at least %d were: not %q", says, right, want.least, wrong)
		}
	}
	for _, p := range refusaltest.Phrasings(t) {
		if p.Says != refusaltest.SaysScopes {
			continue
		}
		p.Missing = p.Scopes
		c := phrasingCase(t, p, []scopes.Need{own}, needsOf(p.Real), nil)
		c.Grant.Scopes = c.Grant.Scopes.Union(scopes.NewSet(p.Scopes...))
		if v := diagnosis.Diagnose(c); len(v.Missing) > 0 {
			t.Errorf("%s: %q is held, and named missing", p.Service, v.Missing)
		}
	}
}

// lacksOwn reports whether the lack of the call's own scope is found.
func lacksOwn(t *testing.T, p refusaltest.Phrasing, own scopes.Need) bool {
	v := diagnosis.Diagnose(phrasingCase(t, p, []scopes.Need{own}, nil, []scopes.Need{own}))
	return v.Cause == diagnosis.CauseMissingScope && slices.Equal(v.Missing, []string{own.Name()})
}

// phrasingCase is a call that is refused so, with what is declared for it and for another. All of
// its own scopes are held, but for those that lack.
func phrasingCase(t *testing.T, p refusaltest.Phrasing, own, other, lacking []scopes.Need) diagnosis.Case {
	file, err := provider.Decode("p.yaml", []byte("servers: {here: {issuer: 'https://id.example', api: 'https://api.example'}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	held := scopes.NewSet("held:read")
	if len(lacking) == 0 {
		held = held.Union(scopes.NewSet(own[0].AnyOf...))
	}
	return diagnosis.Case{
		Method: "GET", Base: "api", Path: "/call", Sent: diagnosis.Sent{Ours: true}, Response: diagnosis.Response(p.Response()),
		Provider: file, Server: file.Servers[0], Kind: file.KindOfToken("x"), Grant: scopes.Grant{KnownBy: scopes.SelfInspection, Scopes: held}, Now: agenttest.Noon(),
		Inquiry: agenttest.Inquiry("here known"),
		Needs:   append(usedBy("/call", own), usedBy("/other", other)...),
	}
}

// What explains a credential stands between commas, and a credential that shows nothing of itself is
// explained by nothing.
func TestCredentialInASentence(t *testing.T) {
	for shown, want := range map[string]string{
		"pha_***": "pha_***, an OAuth access token, is no longer valid: ",
		"":        "an OAuth access token is no longer valid: ",
	} {
		v := diagnosis.Diagnose(aCase(t, both(all, nobodyAsked, func(c *diagnosis.Case) {
			c.Kind, c.Grant.Prefix, c.Login = c.Provider.KindOf("pha_x"), shown, true
			c.Renewal = &credential.SessionLostError{Err: errors.New("gone")}
		})))
		if !strings.Contains(v.Message, ": "+want) {
			t.Errorf("%q, want %q", v.Message, want)
		}
	}
}
