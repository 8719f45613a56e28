package diagnosis_test

import (
	"net/http"
	"testing"

	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
)

// answered is a response of a status and a body.
func answered(status int, body string) func(*diagnosis.Case) {
	return func(c *diagnosis.Case) {
		c.Response = diagnosis.Response{Status: status, Header: http.Header{}, Body: []byte(body)}
	}
}

// unsaid is a credential of which nobody said what it holds.
func unsaid(c *diagnosis.Case) { c.Grant = scopes.Grant{Prefix: c.Grant.Prefix} }

// login is a credential that came of a login.
func login(c *diagnosis.Case) { c.Login = true }

// withheld is a need for which no login would ask.
func withheld(c *diagnosis.Case) {
	c.Withheld = map[string]string{"llm_gateway:read": "not in the list"}
}

func TestNext(t *testing.T) {
	everything := diagnosis.Untried{Read: true, Renew: true, Ask: true}
	read := diagnosis.Untried{Renew: true, Ask: true}
	undeclared := func(c *diagnosis.Case) { c.Base, c.Path = "api", "/api/other/" }
	rejected := answered(401, `{"code":"authentication_failed","detail":"Invalid."}`)
	for name, tt := range map[string]struct {
		change func(*diagnosis.Case)
		left   diagnosis.Untried
		want   diagnosis.Move
	}{
		"no refusal":                         {answered(200, ""), everything, diagnosis.MovePass},
		"a server in trouble":                {answered(500, ""), read, diagnosis.MovePass},
		"of which the body speaks of scopes": {answered(500, `{"detail":"the scope llm_gateway:read could not be looked up"}`), read, diagnosis.MovePass},
		"or denies access":                   {answered(503, `{"detail":"Access denied."}`), read, diagnosis.MovePass},
		"it failed over a scope":             {answered(500, `{"error":"insufficient_scope","scope":"llm_gateway:read"}`), diagnosis.Untried{}, diagnosis.MoveTell},
		"it failed over one that is held":    {both(all, answered(500, `{"error":"insufficient_scope","scope":"llm_gateway:read"}`)), read, diagnosis.MovePass},
		"a status of the provider's":         {answered(402, ""), everything, diagnosis.MoveRead},
		"unauthorized":                       {all, everything, diagnosis.MoveRead},
		"not found, and one lacks":           {answered(404, ""), everything, diagnosis.MoveRead},
		"not found, and none lacks":          {both(all, answered(404, "")), read, diagnosis.MovePass},
		"not found, and none declared":       {both(unsaid, undeclared, answered(404, "")), read, diagnosis.MovePass},
		"not found, and nobody said":         {both(unsaid, answered(404, "")), read, diagnosis.MoveAsk},
		"not found, and nobody says":         {both(unsaid, answered(404, "")), diagnosis.Untried{}, diagnosis.MovePass},
		"not found, as far as is assumed":    {both(answered(404, ""), func(c *diagnosis.Case) { c.Grant.KnownBy = scopes.Assumed }), everything, diagnosis.MoveRead},
		"nothing explains a 401":             {all, read, diagnosis.MoveRenew},
		"it is rejected in words":            {both(all, rejected), read, diagnosis.MoveRenew},
		"rejected, though one lacks":         {rejected, read, diagnosis.MoveRenew},
		"nobody says that it is good":        {nil, read, diagnosis.MoveRenew},
		"nor another kind":                   {func(c *diagnosis.Case) { c.Kind = c.Provider.KindOf("phc_x") }, read, diagnosis.MoveTell},
		"no scope helps":                     {both(all, answered(402, "")), read, diagnosis.MoveTell},
		"renewed in vain":                    {all, diagnosis.Untried{Ask: true}, diagnosis.MoveAsk},
		"a 403 is no question of that":       {both(all, answered(403, "{}")), read, diagnosis.MoveAsk},
		"a 403, and nobody said":             {both(unsaid, answered(403, "{}")), read, diagnosis.MoveAsk},
		"a scope is named, and nobody said":  {both(unsaid, answered(403, `{"required_scopes":["a:b"]}`)), read, diagnosis.MoveAsk},
		"a login lacks what is named":        {both(login, answered(403, `{"error":"insufficient_scope","scope":"a:b"}`)), diagnosis.Untried{Widen: true}, diagnosis.MoveWiden},
		"and all it lacks can be asked for":  {both(login, answered(403, `{"error":"insufficient_scope"}`)), diagnosis.Untried{Widen: true}, diagnosis.MoveWiden},
		"which nobody can ask for":           {both(login, withheld, answered(403, `{"error":"insufficient_scope"}`)), diagnosis.Untried{Widen: true}, diagnosis.MoveTell},
		"unless the server names it":         {both(login, withheld, answered(403, `{"error":"insufficient_scope","scope":"llm_gateway:read"}`)), diagnosis.Untried{Widen: true}, diagnosis.MoveWiden},
		"a key lacks it":                     {answered(403, `{"error":"insufficient_scope","scope":"a:b"}`), diagnosis.Untried{Widen: true}, diagnosis.MoveTell},
		"no scope helps a login":             {both(login, all, answered(402, "")), diagnosis.Untried{Widen: true}, diagnosis.MoveTell},
		"a login lacks what nobody names":    {both(login, all, answered(403, `{"error":"insufficient_scope"}`)), diagnosis.Untried{Widen: true}, diagnosis.MoveTell},
		"all is tried":                       {all, diagnosis.Untried{}, diagnosis.MoveTell},
	} {
		if got := diagnosis.Next(aCase(t, both(tt.change, nobodyAsked)), tt.left); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

// What its own server says that the credential holds counts from then on.
func TestAnswered(t *testing.T) {
	holds := agenttest.Grant("personal_api_key", scopes.SelfInspection, "user:read")
	c := aCase(t, unsaid)
	if after, learned := c.Answered(agenttest.Inquiry("us no_answer")); learned || after.Grant.KnownBy != "" || len(after.Inquiry) != 1 {
		t.Errorf("no answer: %+v", after.Grant)
	}
	after, learned := c.Answered(credential.Inquiry{{Server: "us", Standing: credential.StandingKnown, Grant: holds}})
	if v := diagnosis.Diagnose(after); !learned || v.Cause != diagnosis.CauseMissingScope || v.Confidence != diagnosis.ConfidenceProved {
		t.Errorf("%t: %s", learned, v.Message)
	}
	if _, lost := diagnosis.Lost(after, c.Grant); lost {
		t.Error("what nobody knew of is called lost")
	}
}
