package metadata_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ambit-auth/ambit/metadata"
)

type params = map[string]string

func TestParseChallenges(t *testing.T) {
	tests := map[string]struct {
		fields []string
		want   []metadata.Challenge
	}{
		"none":                  {nil, nil},
		"empty":                 {[]string{"", " , ,"}, nil},
		"scheme alone":          {[]string{"Bearer"}, []metadata.Challenge{{Scheme: "Bearer"}}},
		"resource metadata":     {[]string{`Bearer resource_metadata="https://a.example/.well-known/oauth-protected-resource"`}, []metadata.Challenge{{Scheme: "Bearer", Params: params{"resource_metadata": "https://a.example/.well-known/oauth-protected-resource"}}}},
		"RFC 9110's example":    {[]string{`Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\""`}, []metadata.Challenge{{Scheme: "Basic", Params: params{"realm": "simple"}}, {Scheme: "Newauth", Params: params{"realm": "apps", "type": "1", "title": `Login to "apps"`}}}},
		"RFC 6750's example":    {[]string{`Bearer realm="example",` + "\t" + `error="invalid_token", error_description="The access token expired"`}, []metadata.Challenge{{Scheme: "Bearer", Params: params{"realm": "example", "error": "invalid_token", "error_description": "The access token expired"}}}},
		"token68":               {[]string{`Negotiate YII+/-._~aB0==`}, []metadata.Challenge{{Scheme: "Negotiate", Token68: "YII+/-._~aB0=="}}},
		"token68 like a param":  {[]string{`Basic realm=`}, []metadata.Challenge{{Scheme: "Basic", Token68: "realm="}}},
		"NTLM before":           {[]string{`NTLM TlRMTVNTUAAC=, Bearer scope="a b"`}, []metadata.Challenge{{Scheme: "NTLM", Token68: "TlRMTVNTUAAC="}, {Scheme: "Bearer", Params: params{"scope": "a b"}}}},
		"bare NTLM before":      {[]string{`Negotiate, NTLM, Bearer scope=a`}, []metadata.Challenge{{Scheme: "Negotiate"}, {Scheme: "NTLM"}, {Scheme: "Bearer", Params: params{"scope": "a"}}}},
		"several fields":        {[]string{`Negotiate`, `Bearer error=invalid_token`, `Basic realm="x"`}, []metadata.Challenge{{Scheme: "Negotiate"}, {Scheme: "Bearer", Params: params{"error": "invalid_token"}}, {Scheme: "Basic", Params: params{"realm": "x"}}}},
		"blanks around =":       {[]string{`Bearer realm  =	"x" , scope= y`}, []metadata.Challenge{{Scheme: "Bearer", Params: params{"realm": "x", "scope": "y"}}}},
		"empty elements":        {[]string{`,, Bearer ,, realm="x",,,`}, []metadata.Challenge{{Scheme: "Bearer", Params: params{"realm": "x"}}}},
		"comma in quotes":       {[]string{`Bearer realm="a, Basic realm=b", scope="c"`}, []metadata.Challenge{{Scheme: "Bearer", Params: params{"realm": "a, Basic realm=b", "scope": "c"}}}},
		"escaped quote":         {[]string{`Bearer realm="a\\\", x", scope=c`}, []metadata.Challenge{{Scheme: "Bearer", Params: params{"realm": `a\", x`, "scope": "c"}}}},
		"names in any case":     {[]string{`bEARER ReAlM="x"`}, []metadata.Challenge{{Scheme: "bEARER", Params: params{"realm": "x"}}}},
		"twice":                 {[]string{`Bearer scope="a", scope="b"`}, []metadata.Challenge{{Scheme: "Bearer", Params: params{"scope": "a"}}}},
		"empty value":           {[]string{`Bearer scope="", error=x`}, []metadata.Challenge{{Scheme: "Bearer", Params: params{"scope": "", "error": "x"}}}},
		"no commas":             {[]string{`Bearer realm="x" error="invalid_token" scope=a`}, []metadata.Challenge{{Scheme: "Bearer", Params: params{"realm": "x", "error": "invalid_token", "scope": "a"}}}},
		"garbage before":        {[]string{`@@@; "x, Bearer scope="a"`}, []metadata.Challenge{{Scheme: "Bearer", Params: params{"scope": "a"}}}},
		"garbage after":         {[]string{`Bearer scope="a", ;;;="`}, []metadata.Challenge{{Scheme: "Bearer", Params: params{"scope": "a"}}}},
		"garbage within":        {[]string{`Bearer realm=@@, scope="a"`}, []metadata.Challenge{{Scheme: "Bearer", Params: params{"scope": "a"}}}},
		"open quote before":     {[]string{`NTLM realm="x, Bearer scope="a"`}, []metadata.Challenge{{Scheme: "NTLM"}, {Scheme: "Bearer", Params: params{"scope": "a"}}}},
		"open quote at the end": {[]string{`Bearer scope="a", realm="b`}, []metadata.Challenge{{Scheme: "Bearer", Params: params{"scope": "a"}}}},
		"open quote elsewhere":  {[]string{`Digest realm="`, `Bearer scope="a"`}, []metadata.Challenge{{Scheme: "Digest"}, {Scheme: "Bearer", Params: params{"scope": "a"}}}},
		"param before a scheme": {[]string{`realm="x", Bearer scope=a`}, []metadata.Challenge{{Scheme: "Bearer", Params: params{"scope": "a"}}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := metadata.ParseChallenges(http.Header{"Www-Authenticate": test.fields})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBearer(t *testing.T) {
	h := http.Header{"Www-Authenticate": {`NTLM abc=, bearer realm="r", error="insufficient_scope", error_description="d", scope="a b", resource_metadata="https://m.example"`, `Bearer scope="second"`}}
	b, ok := metadata.Bearer(h)
	got := []string{b.Params["realm"], b.ErrorCode(), b.ErrorDescription(), b.Scope(), b.Params["resource_metadata"]}
	if diff := cmp.Diff([]string{"r", "insufficient_scope", "d", "a b", "https://m.example"}, got); diff != "" || !ok {
		t.Error(ok, diff)
	}
	if b, ok := metadata.Bearer(http.Header{"Www-Authenticate": {`Basic realm="Bearer"`}}); ok {
		t.Errorf("found %+v", b)
	}
}

// A field of many quotes and commas is read in one go, not once per comma.
func BenchmarkHostileChallenges(b *testing.B) {
	h := http.Header{"Www-Authenticate": {strings.Repeat(`a="\",b=\",`, 6000)}}
	for b.Loop() {
		metadata.ParseChallenges(h)
	}
}

func FuzzParseChallenges(f *testing.F) {
	for _, seed := range []string{"", `Bearer scope="a b", error=x`, `NTLM TlRM==, Basic realm="\"", Bearer`, `a="`, `a b c, d e=f`, "\x00,=\"\\", `Bearer realm="x" y="z"`} {
		f.Add(seed)
	}
	const ours = `Bearer scope="found"`
	f.Fuzz(func(t *testing.T, field string) {
		for _, c := range metadata.ParseChallenges(http.Header{"Www-Authenticate": {field}}) {
			if c.Scheme == "" || strings.ContainsAny(c.Scheme, " ,=\"\t") {
				t.Errorf("scheme %q in %q", c.Scheme, field)
			}
			for name := range c.Params {
				if name == "" || strings.ContainsAny(name, " ,=\"\t") {
					t.Errorf("parameter %q in %q", name, field)
				}
			}
		}
		// A field of its own is beyond the reach of its neighbors.
		all := metadata.ParseChallenges(http.Header{"Www-Authenticate": {field, ours}})
		if len(field) < 1<<15 && (len(all) == 0 || !all[len(all)-1].Is("Bearer") || all[len(all)-1].Scope() != "found") {
			t.Errorf("%q spoils its neighbour: %+v", field, all)
		}
	})
}
