package provider_test

import (
	"testing"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

// Of several tokens in one response one is used, with what is said of it and nothing that is said of another.
func TestTokensOfAResponse(t *testing.T) {
	const file = `
servers: {one: {issuer: https://id.example}}
credentials: [{prefix: xoxb-, kind: bot}, {prefix: xoxp-, kind: user}, {kind: plain}]
token_response:
  tokens:
    - {access: access_token, kind: bot}
    - {access: authed_user.access_token, scope: granted, kind: user}
    - {access: other.token, kind: plain}
client: {id: c`
	for name, c := range map[string]struct {
		choice, response string
		renewed          scopes.Kind
		want             string // the response that comes out, "" for one without a token
		kind             scopes.Kind
		others           []string // access tokens that are not used
	}{
		"the first": {
			"", `{"access_token":"xoxb-1","scope":"a","authed_user":{"access_token":"xoxp-1"},"team":"T"}`, "",
			`{"access_token":"xoxb-1","expires_at":null,"expires_in":null,"permissions":null,"refresh_token":null,"scope":"a","scopes":null,"token_type":null}`, "bot",
			[]string{"xoxp-1"},
		},
		"the second, where the first is not there": {
			"", `{"scope":"a","refresh_token":"bot's","access_token":"","granted":["x","y"],"authed_user":{"access_token":"xoxp-1","refresh_token":"r","expires_in":7200}}`, "",
			`{"access_token":"xoxp-1","expires_in":7200,"refresh_token":"r","scope":["x","y"]}`, "user", nil,
		},
		"the chosen one": {
			"user", `{"access_token":"xoxb-1","expires_in":5,"scope":"a","authed_user":{"access_token":"xoxp-1"}}`, "", `{"access_token":"xoxp-1"}`, "user", []string{"xoxb-1"},
		},
		"the chosen one, where its form tells and its place is another's": {
			"user", `{"access_token":"xoxp-2","scope":"b"}`, "", `{"access_token":"xoxp-2","scope":"b"}`, "user", nil,
		},
		"one whose place tells":               {"plain", `{"other":{"token":"opaque","scope":"a"}}`, "", `{"access_token":"opaque","scope":"a"}`, "plain", nil},
		"not the chosen one":                  {"user", `{"access_token":"xoxb-1"}`, "", "", "", []string{"xoxb-1"}},
		"none":                                {"", `{"authed_user":{"id":"U"}}`, "", "", "", nil},
		"a token of no type":                  {"", `{"access_token":{"a":"b"},"authed_user":"xoxp-1"}`, "", "", "", nil},
		"scopes that are not where they were": {"user", `{"scope":"a","authed_user":{"access_token":"xoxp-1","scope":"b"}}`, "", `{"access_token":"xoxp-1"}`, "user", nil},
		"a renewal's, where another stands":   {"user", `{"access_token":"opaque","scope":"b"}`, "user", `{"access_token":"opaque","scope":"b"}`, "user", nil},
		"a renewal's, of another kind":        {"user", `{"access_token":"xoxb-1"}`, "user", "", "", []string{"xoxb-1"}},
		"one that stands twice":               {"", `{"access_token":"xoxp-1","authed_user":{"access_token":"xoxp-1"},"granted":"a","other":{"token":"xoxp-1"}}`, "", `{"access_token":"xoxp-1"}`, "user", nil},
		"another that stands twice":           {"bot", `{"access_token":"xoxb-1","authed_user":{"access_token":"xoxp-1"},"other":{"token":"xoxp-1"}}`, "", `{"access_token":"xoxb-1"}`, "bot", []string{"xoxp-1"}},
		"a login's, where another stands":     {"user", `{"access_token":"opaque","scope":"b"}`, "", "", "", []string{"opaque"}},
	} {
		choice := ""
		if c.choice != "" {
			choice = ", token: " + c.choice
		}
		p, err := provider.Decode("p.yaml", []byte(file+choice+"}\n"))
		if err != nil {
			t.Fatal(err)
		}
		response, err := guard.ParseObject([]byte(c.response))
		if err != nil {
			t.Fatal(err)
		}
		issued, rest := p.Token(response, c.renewed)
		var others []string
		for _, other := range rest {
			others = append(others, other.Response.Text("access_token"))
		}
		if !cmp.Equal(others, c.others) {
			t.Errorf("%s: not used are %v, want %v", name, others, c.others)
		}
		token, kind := issued.Response, issued.Kind
		want, _ := guard.ParseObject([]byte(c.want))
		if c.want == "" {
			want = &guard.Object{}
		}
		for _, member := range []string{"access_token", "refresh_token", "expires_in", "scope"} {
			got := token.Value()[member]
			if want := want.Value()[member]; !cmp.Equal(got, want) && (c.want != "" || member == "access_token") {
				t.Errorf("%s: %s is %v, want %v", name, member, got, want)
			}
		}
		if kind != c.kind {
			t.Errorf("%s: a %q, want %q", name, kind, c.kind)
		}
	}
}

// What failed in the service's own way is told, and nothing else is taken for that.
func TestFailedResponse(t *testing.T) {
	ok, _ := provider.ParsePath("status.ok")
	for body, failed := range map[string]bool{`{"status":{"ok":false}}`: true, `{"status":{"ok":true}}`: false, `{"status":{"ok":"false"}}`: false, `{"status":{"ok":null}}`: false, `{"ok":false}`: false, `{}`: false} {
		response, err := guard.ParseObject([]byte(body))
		if got := (&provider.TokenResponse{OK: ok}).Failed(response); err != nil || got != failed {
			t.Errorf("%s: %v, %v", body, got, err)
		}
		if (&provider.TokenResponse{}).Failed(response) {
			t.Errorf("%s failed, and no file says so", body)
		}
	}
}
