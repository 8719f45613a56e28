package diagnosis_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// permissions is a credential that carries permissions, which no server lists, and no scopes, at a
// service whose responses name scopes in a header, whoever asks.
func permissions(c *diagnosis.Case) {
	c.Kind = provider.CredentialKind{Prefix: "fine_", Kind: "fine_grained_token", Label: "a fine-grained token", Permissions: true, Create: "https://service.example/fine"}
	c.Grant = scopes.Grant{Kind: c.Kind.Kind, Prefix: "fine***", KnownBy: scopes.Permissions, Server: "us"}
	own := c.Provider.Voice()
	own.Refusals = append([]provider.Refusal{{
		Sign: provider.Sign{Statuses: []int{403, 404}}, Needs: provider.Place{Header: "X-Accepted-OAuth-Scopes"}, Holds: provider.Place{Header: "X-OAuth-Scopes"}, AnyOf: true, Means: provider.MeaningMissingScope,
	}}, own.Refusals...)
	c.Provider = c.Provider.WithVoice(own)
}

// Of a credential without scopes none is ever missing for certain, and its way out is a permission.
func TestPermissionsLackNoScope(t *testing.T) {
	response := func(status int, body string, header ...string) func(*diagnosis.Case) {
		return func(c *diagnosis.Case) {
			c.Response = diagnosis.Response{Status: status, Header: http.Header{}, Body: []byte(body)}
			for i := 0; i+1 < len(header); i += 2 {
				c.Response.Header.Set(header[i], header[i+1])
			}
		}
	}
	const accepted, held = "X-Accepted-OAuth-Scopes", "X-OAuth-Scopes"
	for name, tt := range map[string]struct {
		response func(*diagnosis.Case)
		cause    diagnosis.Cause
		next     string
	}{
		"refused, without a word":         {response(403, ""), diagnosis.CauseUnknown, ""},
		"refused, with a list of scopes":  {response(403, `{"message":"Resource not accessible"}`, accepted, "llm_gateway:read"), diagnosis.CauseUnknown, ""},
		"and with an empty list of its":   {response(403, `{"message":"Not Found"}`, accepted, "llm_gateway:read", held, ""), diagnosis.CauseUnknown, ""},
		"a challenge that names a scope":  {response(403, "", "WWW-Authenticate", `Bearer error="insufficient_scope", scope="llm_gateway:read"`), diagnosis.CauseMissingScope, "a permission that covers llm_gateway:read"},
		"a body that says that one lacks": {response(403, `{"error":"insufficient_scope"}`), diagnosis.CauseMissingScope, "which permission this operation takes"},
	} {
		v := diagnosis.Diagnose(aCase(t, both(permissions, tt.response)))
		if v.Cause != tt.cause || v.Cause == diagnosis.CauseMissingScope && v.Confidence == diagnosis.ConfidenceProved {
			t.Errorf("%s: %s, %s: %s", name, v.Cause, v.Confidence, v.Message)
		}
		if !strings.Contains(strings.Join(v.Evidence, "; "), "carries permissions, no scopes") {
			t.Errorf("%s: %q", name, v.Evidence)
		}
		var next []string
		for _, step := range v.Next {
			next = append(next, step.Text+" "+step.URL)
		}
		if told := strings.Join(next, "; "); !strings.Contains(told, tt.next) || tt.next != "" && !strings.Contains(told, "https://service.example/fine") {
			t.Errorf("%s: next %q", name, told)
		}
	}
	missing := aCase(t, both(permissions, response(404, `{"message":"Not Found"}`, accepted, "llm_gateway:read")))
	if move := diagnosis.Next(missing, diagnosis.Untried{}); move != diagnosis.MovePass {
		t.Errorf("what is not there is told as a refusal: %v", move)
	}
	if list := diagnosis.Forecast(aCase(t, permissions)); len(list) != 0 {
		t.Errorf("before a call: %+v", list)
	}
}

// A server that says that the credential has ended is believed, and nobody else is asked about it.
func TestServerSaysExpired(t *testing.T) {
	c := aCase(t, func(c *diagnosis.Case) { c.Inquiry = agenttest.Inquiry("us expired") })
	for name, v := range map[string]diagnosis.Verdict{"of a call": diagnosis.Diagnose(c), "before one": diagnosis.Refused(c)} {
		if v.Cause != diagnosis.CauseExpired || v.Confidence != diagnosis.ConfidenceProved || !strings.Contains(strings.Join(v.Evidence, "; "), "server us was asked, and says that the credential has expired") {
			t.Errorf("%s: %s, %s, %q", name, v.Cause, v.Confidence, v.Evidence)
		}
	}
}
