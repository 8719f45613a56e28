package declared_test

import (
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/declared"
	"github.com/ambit-auth/ambit/scopes"
)

func TestCompare(t *testing.T) {
	implies, err := scopes.NewImplications([]scopes.Rule{{Scope: "{x}:write", Covers: []string{"{x}:read"}}})
	if err != nil {
		t.Fatal(err)
	}
	implies = implies.WithNames(scopes.Names{Prefix: "https://example.com/"})
	one := func(words string) string {
		return `{"oauthScopes": ["` + strings.ReplaceAll(words, " ", `", "`) + `"]}`
	}
	for name, tt := range map[string]struct{ file, text, needs, want string }{
		"the same":                      {"appsscript.json", one("a b c"), "c? b a!", ""},
		"nothing declared":              {"appsscript.json", `{"oauthScopes": []}`, "", ""},
		"no part":                       {"appsscript.json", `{"timeZone": "x"}`, "a!", "only_in_manifest a"},
		"each has one":                  {"appsscript.json", one("a b"), "a! c!", "only_in_manifest c, only_in_file b"},
		"implied, not there":            {"appsscript.json", one("x:write"), "x:write! x:read!", ""},
		"implied, there":                {"appsscript.json", one("x:write x:read"), "x:write! x:read!", ""},
		"implied, not declared":         {"appsscript.json", one("x:write x:read"), "x:write!", ""},
		"more than declared":            {"appsscript.json", one("x:write"), "x:read!", "only_in_manifest x:read, only_in_file x:write"},
		"an alternative":                {"appsscript.json", one("b"), "a|b!", ""},
		"each alternative":              {"appsscript.json", one("a b"), "a|b!", ""},
		"no alternative":                {"appsscript.json", one("c"), "a|b! c!", "only_in_manifest a"},
		"another name of it":            {"appsscript.json", one("https://example.com/a"), "a!", ""},
		"a level has a list":            {"app-hsmeta.json", `{"config": {"auth": {"requiredScopes": ["a"], "optionalScopes": ["b", "c"]}}}`, "a! b c?", ""},
		"another level":                 {"app-hsmeta.json", `{"config": {"auth": {"requiredScopes": ["b"], "optionalScopes": ["a"]}}}`, "a! b?", "other_level a, other_level b"},
		"may be refused with the other": {"app-hsmeta.json", `{"config": {"auth": {"optionalScopes": ["x:write"]}}}`, "x:write? x:read!", "only_in_manifest x:read"},
		"comes with the other":          {"app-hsmeta.json", `{"config": {"auth": {"requiredScopes": ["x:write"]}}}`, "x:write! x:read?", ""},
		"one of two tokens":             {"slack.json", `{"oauth_config": {"scopes": {"bot": ["a"], "user": ["a"], "user_optional": ["a"]}}}`, "a!", ""},
	} {
		f, err := declared.Read("", tt.file, []byte(tt.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, d := range f.Compare(needsOf(tt.needs), implies) {
			got = append(got, string(d.Kind)+" "+d.Scope)
		}
		if strings.Join(got, ", ") != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// A manifest that is made of a file asks for what that declares, at its levels and with the places as the reasons.
func TestNeeds(t *testing.T) {
	text := "{\n  \"oauth_config\": {\"scopes\": {\n    \"bot\": [\"a\", \"b\"],\n    \"bot_optional\": [\"b\"],\n    \"user\": [\"b\"]\n  }}\n}"
	f, err := declared.Read("slack", "dir/app.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	needs := f.Needs()
	if len(needs) != 2 || needs[0].Name() != "a" || needs[0].Level != scopes.Required || needs[0].Why != "taken from app.json:3" ||
		needs[1].Name() != "b" || needs[1].Level != scopes.Required {
		t.Errorf("%+v", needs)
	}
	if d := f.Compare(needs, scopes.Implications{}); len(d) > 0 {
		t.Errorf("%+v is different from the file", d)
	}
}
