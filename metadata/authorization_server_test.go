package metadata_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/scopes"
)

const issuer = "https://auth.example"

func TestRealDocuments(t *testing.T) {
	const real = "https://us.posthog.com"
	for _, name := range []string{"oauth-authorization-server.json", "openid-configuration.json"} {
		t.Run(name, func(t *testing.T) {
			raw := testdata(t, name)
			as, err := metadata.ParseAuthorizationServer(raw, real)
			if err != nil {
				t.Fatal(err)
			}
			var plain struct {
				Scopes []string `json:"scopes_supported"`
			}
			if err := json.Unmarshal(raw, &plain); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(plain.Scopes, as.ScopesSupported.Scopes.Slice()); diff != "" || as.ScopesSupported.State != scopes.Listed {
				t.Errorf("scopes (%s) differ: %s", as.ScopesSupported.State, diff)
			}
			if as.ScopesSupported.Scopes.Has("llm_gateway:read") {
				t.Error("the real document does not advertise llm_gateway:read")
			}
			got := []string{as.AuthorizationEndpoint, as.TokenEndpoint, as.RevocationEndpoint, as.IntrospectionEndpoint, as.RegistrationEndpoint, as.UserinfoEndpoint, as.JWKSURI}
			want := []string{real + "/oauth/authorize/", real + "/oauth/token/", real + "/oauth/revoke/", real + "/oauth/introspect/", real + "/oauth/register/", real + "/oauth/userinfo/", real + "/.well-known/jwks.json"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"none", "client_secret_post", "private_key_jwt"}, as.TokenEndpointAuthMethodsSupported); diff != "" {
				t.Error(diff)
			}
			if as.Source.Warnings != nil {
				t.Errorf("warnings about an honest document: %q", as.Source.Warnings)
			}
		})
	}
}

func TestEveryFieldIsRead(t *testing.T) {
	all := serverFields(issuer).with(fields{
		"device_authorization_endpoint":                  issuer + "/device",
		"revocation_endpoint_auth_methods_supported":     []string{"a"},
		"introspection_endpoint_auth_methods_supported":  []string{"b"},
		"code_challenge_methods_supported":               []string{"S256"},
		"grant_types_supported":                          []string{"refresh_token"},
		"authorization_response_iss_parameter_supported": true,
		"pushed_authorization_request_endpoint":          issuer + "/par",
		"require_pushed_authorization_requests":          true,
		"client_id_metadata_document_supported":          true,
		"Issuer":                                         "https://other.example", // another member: case counts
		"surprise":                                       fields{"nested": []int{1}},
	})
	got, err := metadata.ParseAuthorizationServer(all.json(t), issuer)
	if err != nil {
		t.Fatal(err)
	}
	want := &metadata.AuthorizationServer{
		Issuer: issuer, AuthorizationEndpoint: issuer + "/authorize", TokenEndpoint: issuer + "/token",
		DeviceAuthorizationEndpoint: issuer + "/device",
		ScopesSupported:             scopes.Advertisement{State: scopes.Absent},
		ResponseTypesSupported:      []string{"code"}, GrantTypesSupported: []string{"refresh_token"},
		RevocationEndpointAuthMethodsSupported: []string{"a"}, IntrospectionEndpointAuthMethodsSupported: []string{"b"},
		CodeChallengeMethodsSupported:              []string{"S256"},
		AuthorizationResponseISSParameterSupported: true,
		PushedAuthorizationRequestEndpoint:         issuer + "/par", RequirePushedAuthorizationRequests: true,
		ClientIDMetadataDocumentSupported: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestScopesSupported(t *testing.T) {
	tests := map[string]struct {
		given   any
		state   scopes.AdvertisementState
		scopes  string
		warning string // a word of it; "" for none
	}{
		"list":             {[]string{"b", "a"}, scopes.Listed, "b a", ""},
		"twice":            {[]string{"b", "a", "b"}, scopes.Listed, "b a", ""},
		"a string of them": {"b a", scopes.Listed, "b a", "scopes_supported is a string, not an array of strings, and is read as a list"},
		"commas":           {[]string{"a:read,b:write", "c"}, scopes.Listed, "a:read b:write c", ""},
		"a string, commas": {"a:read,b:write", scopes.Listed, "a:read b:write", "scopes_supported is a string"},
		"commas alone":     {[]string{","}, scopes.Empty, "", "RFC 8414 §3.2"},
		"empty":            {[]string{}, scopes.Empty, "", "RFC 8414 §3.2"},
		"an empty string":  {"", scopes.Empty, "", "RFC 8414 §3.2"},
		"absent":           {nil, scopes.Absent, "", ""},
		"null":             {json.RawMessage("null"), scopes.Absent, "", ""},
		"an object":        {fields{"a": 1}, scopes.Absent, "", "in the server's metadata scopes_supported is an object, not an array of strings, and is left out"},
		"one is none":      {[]string{"a b", "a", `c"`, "", "é"}, scopes.Listed, "a", `left out of scopes_supported: 4 malformed scopes (RFC 6749 §3.3), the first: "a b"`},
		"one is null":      {[]any{"a", nil}, scopes.Listed, "a", "scopes_supported[1] is not a string"},
		"hostile scope":    {[]string{"a", "\x1b[31mred"}, scopes.Listed, "a", `"\x1b[31mred"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			as, err := metadata.ParseAuthorizationServer(serverFields(issuer).with(fields{"scopes_supported": test.given}).json(t), issuer)
			if err != nil {
				t.Fatal(err)
			}
			if got := as.ScopesSupported; got.State != test.state || got.Scopes.String() != test.scopes {
				t.Errorf("%s %q, want %s %q", got.State, got.Scopes, test.state, test.scopes)
			}
			if test.warning != "" {
				wantWarning(t, as.Source, test.warning)
			} else if as.Source.Warnings != nil {
				t.Errorf("warnings %q", as.Source.Warnings)
			}
		})
	}
}

// An optional field of a wrong form is told and left out: it never ends the whole.
func TestOptionalFieldsAreLeftOut(t *testing.T) {
	tests := map[string]struct {
		field   string
		given   any
		warning string
	}{
		"file":                     {"jwks_uri", "file://host/etc/passwd", "is not an https URL"},
		"a number":                 {"jwks_uri", 7, "jwks_uri is a number, not a string, and is left out"},
		"local https":              {"introspection_endpoint", "https://localhost/x", "names an address of this machine"},
		"any address":              {"revocation_endpoint", "https://0.0.0.0/x", "names an address of this machine"},
		"mapped address":           {"revocation_endpoint", "https://[::ffff:127.0.0.1]/x", "names an address of this machine"},
		"mapped any address":       {"revocation_endpoint", "https://[::ffff:0.0.0.0]/x", "names an address of this machine"},
		"under localhost":          {"registration_endpoint", "https://a.LOCALHOST./x", "names an address of this machine"},
		"old notation":             {"userinfo_endpoint", "https://127.1/x", "no valid host"},
		"old notation, one number": {"userinfo_endpoint", "https://2130706433/x", "no valid host"},
		"old notation, hex":        {"userinfo_endpoint", "https://0x7f000001/x", "no valid host"},
		"password in a URL":        {"userinfo_endpoint", "https://u:pa55@auth.example/", `"https://auth.example/" has a user name or password`},
		"a list of nothing":        {"grant_types_supported", true, "is a boolean, not an array of strings"},
		"a flag of nothing":        {"authorization_response_iss_parameter_supported", "yes", "is a string, not a boolean"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bare, err := metadata.ParseAuthorizationServer(serverFields(issuer).with(fields{test.field: nil}).json(t), issuer)
			if err != nil {
				t.Fatal(err)
			}
			as, err := metadata.ParseAuthorizationServer(serverFields(issuer).with(fields{test.field: test.given}).json(t), issuer)
			if err != nil {
				t.Fatal(err)
			}
			wantWarning(t, as.Source, "in the server's metadata "+test.field, test.warning, "and is left out")
			wantPrintable(t, as.Source.Warnings[0])
			if strings.Contains(as.Source.Warnings[0], "pa55") {
				t.Errorf("%q shows a password", as.Source.Warnings)
			}
			as.Source = bare.Source
			if diff := cmp.Diff(bare, as); diff != "" {
				t.Errorf("not as if it were absent: %s", diff)
			}
		})
	}
}

func TestBadDocuments(t *testing.T) {
	good := string(serverFields(issuer).json(t))
	change := func(name string, value any) string {
		return string(serverFields(issuer).with(fields{name: value}).json(t))
	}
	tests := map[string]struct {
		raw   string
		field string
		words string
	}{
		"other issuer":           {change("issuer", "https://evil.example"), "issuer", `issuer is "https://evil.example", but "https://auth.example" was asked`},
		"issuer two slashes":     {change("issuer", issuer+"//"), "issuer", `"https://auth.example//"`},
		"issuer in other case":   {change("issuer", "https://AUTH.example"), "issuer", "was asked"},
		"no issuer":              {change("issuer", nil), "issuer", "issuer is missing"},
		"issuer is a number":     {change("issuer", 7), "issuer", "issuer is a number, not a string"},
		"no token":               {change("token_endpoint", nil), "token_endpoint", "is missing"},
		"null token":             {change("token_endpoint", json.RawMessage("null")), "token_endpoint", "is missing"},
		"token an array":         {change("token_endpoint", []string{"x", "y"}), "token_endpoint", "is an array, not a string"},
		"plain http":             {change("token_endpoint", "http://auth.example/token"), "token_endpoint", `"http://auth.example/token" is plain http`},
		"password in a URL":      {change("token_endpoint", "https://u:pa55@auth.example/"), "token_endpoint", `"https://auth.example/" has a user name or password`},
		"fragment":               {change("token_endpoint", issuer+"/token#x"), "token_endpoint", "has a fragment"},
		"control character":      {change("token_endpoint", issuer+"/\x1b]0;x\a"), "token_endpoint", `\x1b]0;x\a`},
		"right-to-left":          {change("token_endpoint", issuer+"/\u202e"), "token_endpoint", `\u202e`},
		"relative":               {change("token_endpoint", "/token"), "token_endpoint", "no valid host"},
		"local port":             {change("token_endpoint", "http://127.0.0.1:9/token"), "token_endpoint", "names an address of this machine"},
		"twice":                  {`{"issuer":"https://evil.example",` + good[1:], "", `has "issuer" twice`},
		"twice, hostile":         {`{"\u001b[2J":1,"\u001b[2J":2}`, "", `has "\x1b[2J" twice`},
		"garbage after":          {good + `{}`, "", "continues after the end"},
		"garbage after, no JSON": {good + `;`, "", "continues after the end"},
		"cut":                    {good[:len(good)-5], "", "ends in the middle"},
		"cut after a member":     {strings.TrimSuffix(good, "}"), "", "ends in the middle"},
		"empty":                  {" \n", "", "is empty"},
		"array":                  {`[1]`, "", "not an object"},
		"string":                 {`"https://auth.example"`, "", "not an object"},
		"null document":          {`null`, "", "not an object"},
		"text":                   {"Bad Gateway", "", "is not JSON"},
		"another shape":          {`{"error":"nope"}`, "issuer", "issuer is missing; authorization_endpoint is missing; token_endpoint is missing"},
		"deep":                   {`{"a":` + strings.Repeat("[", 20000), "", "is not JSON"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			as, err := metadata.ParseAuthorizationServer([]byte(test.raw), issuer)
			if as != nil {
				t.Fatalf("accepted as %+v", as)
			}
			if e := wantError(t, err, guard.KindInvalid, test.words); e.Field != test.field {
				t.Errorf("field %q, want %q", e.Field, test.field)
			}
			wantPrintable(t, err.Error())
			if strings.Contains(err.Error(), "pa55") {
				t.Errorf("%q shows a password", err)
			}
		})
	}
}

// A document without a page is of use to clients that send nobody to one; for a login it says why.
func TestNoPage(t *testing.T) {
	for name, c := range map[string]struct {
		change fields
		words  string // "" where the document says that it does without
	}{
		"missing":    {fields{"authorization_endpoint": nil}, "authorization_endpoint is missing"},
		"empty":      {fields{"authorization_endpoint": ""}, "authorization_endpoint is missing"},
		"javascript": {fields{"authorization_endpoint": "javascript:alert(1)"}, "no valid host"},
		"listed":     {fields{"authorization_endpoint": nil, "grant_types_supported": []string{"authorization_code", "client_credentials"}}, "authorization_endpoint is missing"},
		"not listed": {fields{"authorization_endpoint": nil, "grant_types_supported": []string{"client_credentials"}}, ""},
	} {
		as, err := metadata.ParseAuthorizationServer(serverFields(issuer).with(c.change).json(t), issuer)
		if err != nil || as.AuthorizationEndpoint != "" || as.TokenEndpoint == "" || (as.NoLogin != nil) != (c.words != "") {
			t.Errorf("%s: %+v, %v", name, as, err)
			continue
		}
		if c.words != "" {
			wantError(t, as.NoLogin, guard.KindInvalid, c.words)
		}
	}
}

func TestAllWrongFieldsAreTold(t *testing.T) {
	raw := serverFields(issuer).with(fields{"jwks_uri": "http://a.example", "token_endpoint": nil, "authorization_endpoint": "http://a.example"}).json(t)
	_, err := metadata.ParseAuthorizationServer(raw, issuer)
	wantError(t, err, guard.KindInvalid, `authorization_endpoint "http://a.example" is plain http`, "; token_endpoint is missing")
	if strings.Contains(err.Error(), "jwks_uri") {
		t.Errorf("an optional field is told as wrong: %v", err)
	}
}

func TestFinalSlashIsToldNotFatal(t *testing.T) {
	for asked, says := range map[string]string{issuer: issuer + "/", issuer + "/": issuer, issuer + "/a": issuer + "/a/"} {
		as, err := metadata.ParseAuthorizationServer(serverFields(says).json(t), asked)
		if err != nil {
			t.Fatal(err)
		}
		if as.Issuer != says {
			t.Errorf("issuer %q, want the document's %q", as.Issuer, says)
		}
		wantWarning(t, as.Source, "final slash", `"`+says+`"`, `"`+asked+`"`)
	}
}

func TestMissingResponseTypesIsARemark(t *testing.T) {
	as, err := metadata.ParseAuthorizationServer(serverFields(issuer).with(fields{"response_types_supported": nil}).json(t), issuer)
	if err != nil {
		t.Fatal(err)
	}
	if len(as.Source.Warnings) > 0 || len(as.Source.Remarks) != 1 || !strings.Contains(as.Source.Remarks[0], "response_types_supported") {
		t.Errorf("warnings %q, remarks %q", as.Source.Warnings, as.Source.Remarks)
	}
}

func TestLoopbackIssuerMayNameLoopback(t *testing.T) {
	for _, local := range []string{"http://localhost:8010", "http://127.0.0.1:1", "http://[::1]:1"} {
		if _, err := metadata.ParseAuthorizationServer(serverFields(local).json(t), local); err != nil {
			t.Error(err)
		}
	}
}

func TestByteOrderMark(t *testing.T) {
	raw := append([]byte("\xef\xbb\xbf"), serverFields(issuer).json(t)...)
	if _, err := metadata.ParseAuthorizationServer(raw, issuer); err != nil {
		t.Error(err)
	}
}

func TestIssuerAskedFor(t *testing.T) {
	for _, bad := range []string{"", "auth.example", "http://auth.example", "https://auth.example?x=1", "https://auth.example/#f", "https://u:pa55@auth.example", "https://auth.example?"} {
		_, err := metadata.ParseAuthorizationServer(serverFields(bad).json(t), bad)
		wantError(t, err, guard.KindUsage)
		if strings.Contains(fmt.Sprint(err), "pa55") {
			t.Errorf("%q shows a password", err)
		}
	}
}

func wantPrintable(t *testing.T, text string) {
	t.Helper()
	if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("%q has an unescaped character at %d", text, i)
	}
}

func manyScopes(t testing.TB, n int) []byte {
	scopes := make([]string, n)
	for i := range scopes {
		scopes[i] = fmt.Sprintf("thing_%d:read", i)
	}
	return serverFields(issuer).with(fields{"scopes_supported": scopes}).json(t)
}

// A server with 10,000 scopes must not be felt: a few milliseconds.
func BenchmarkTenThousandScopes(b *testing.B) {
	raw := manyScopes(b, 10_000)
	for b.Loop() {
		if _, err := metadata.ParseAuthorizationServer(raw, issuer); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzParseAuthorizationServer(f *testing.F) {
	good := string(serverFields(issuer).json(f))
	for _, seed := range []string{good, "", "{}", "[]", "null", good + good, `{"issuer":1}`, `{"issuer":"https://auth.example","scopes_supported":["a","a","b c",""]}`, strings.Replace(good, `"token_endpoint"`, `"scopes_supported":[null],"token_endpoint"`, 1), `{"a":1,"a":2}`, "\xef\xbb\xbf" + good, strings.Replace(good, "https://auth.example/token", `http://[::1]\u001b`, 1)} {
		f.Add([]byte(seed))
	}
	f.Add(testdata(f, "oauth-authorization-server.json"))
	f.Add([]byte(`{"issuer":"` + issuer + `","token_endpoint":"` + issuer + `/token"}`))
	f.Add([]byte(`{"issuer":"` + issuer + `","token_endpoint":"` + issuer + `/token","grant_types_supported":["client_credentials"]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		as, err := metadata.ParseAuthorizationServer(raw, issuer)
		if err != nil {
			wantPrintable(t, err.Error())
			return
		}
		for _, warning := range as.Source.Warnings {
			wantPrintable(t, warning)
		}
		if err := guard.CheckURL(as.TokenEndpoint); err != nil {
			t.Error(err)
		}
		grants := as.GrantTypesSupported
		noPage := grants != nil && !slices.Contains(grants, "authorization_code") && !slices.Contains(grants, "implicit") // RFC 8414 §2
		err = guard.CheckURL(as.AuthorizationEndpoint)
		if none := as.AuthorizationEndpoint == "" && (noPage || as.NoLogin != nil); (err != nil) != none || noPage && as.NoLogin != nil {
			t.Errorf("authorization endpoint %q, grants %q, no login %v: %v", as.AuthorizationEndpoint, grants, as.NoLogin, err)
		}
		if as.Issuer != issuer && as.Issuer != issuer+"/" {
			t.Errorf("issuer %q", as.Issuer)
		}
		if (as.ScopesSupported.State == scopes.Listed) != (as.ScopesSupported.Scopes.Len() > 0) {
			t.Errorf("scopes %+v", as.ScopesSupported)
		}
	})
}
