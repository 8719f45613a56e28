package declared_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/declared"
	"github.com/ambit-auth/ambit/scopes"
)

// needsOf makes needs of words such as "a!", required, "b", recommended, and "c?", optional.
func needsOf(words string) []scopes.Need {
	var needs []scopes.Need
	for word := range strings.FieldsSeq(words) {
		n := scopes.Need{Level: scopes.Recommended}
		switch {
		case strings.HasSuffix(word, "!"):
			n.Level = scopes.Required
		case strings.HasSuffix(word, "?"):
			n.Level = scopes.Optional
		}
		n.AnyOf = strings.Split(strings.TrimRight(word, "!?"), "|")
		needs = append(needs, n)
	}
	return needs
}

func TestInto(t *testing.T) {
	for name, tt := range map[string]struct{ file, before, needs, after string }{
		"JSON, a line each":     {"appsscript.json", "{\n  \"a\": [1,2],\n  \"oauthScopes\": [\n    \"x\",\n    \"y\"\n  ],\n  \"b\": 1.50\n}", "y! z!", "{\n  \"a\": [1,2],\n  \"oauthScopes\": [\n    \"y\",\n    \"z\"\n  ],\n  \"b\": 1.50\n}"},
		"JSON, one line":        {"appsscript.json", `{"oauthScopes": [ "x","y" ]}`, "y! z!", `{"oauthScopes": [ "y","z" ]}`},
		"JSON, nothing changes": {"appsscript.json", "{ \"oauthScopes\" :[\"x\" ,\n\"y\"]\t}", "y! x!", "{ \"oauthScopes\" :[\"x\" ,\n\"y\"]\t}"},
		"JSON, an empty list":   {"appsscript.json", "{\n\t\"oauthScopes\": []\n}\n", "x! y!", "{\n\t\"oauthScopes\": [\n\t\t\"x\",\n\t\t\"y\"\n\t]\n}\n"},
		"JSON, all go":          {"appsscript.json", "{\n  \"oauthScopes\": [\n    \"x\"\n  ]\n}\n", "", "{\n  \"oauthScopes\": []\n}\n"},
		"JSON, none yet":        {"appsscript.json", "{\r\n  \"timeZone\": \"x\"\r\n}\r\n", "x!", "{\r\n  \"timeZone\": \"x\",\r\n  \"oauthScopes\": [\r\n    \"x\"\r\n  ]\r\n}\r\n"},
		"JSON, a mark":          {"appsscript.json", "\ufeff{\"oauthScopes\": [\"x\"]}", "y!", "\ufeff{\"oauthScopes\": [\"y\"]}"},
		"JSON with comments":    {"manifest.json", "{ // mine\n  \"manifest_version\": 3, // three\n  \"oauth2\": {\"scopes\": [\n    // people\n    \"x\", // why x\n    /* and */ \"y\" // why y\n  ]}\n}\n", "y! z!", "{ // mine\n  \"manifest_version\": 3, // three\n  \"oauth2\": {\"scopes\": [\n    // people\n    /* and */ \"y\", // why y\n    \"z\"\n  ]}\n}\n"},
		"comments, none yet":    {"manifest.json", "{\n  // mine\n  \"manifest_version\": 3 // three\n}\n", "x!", "{\n  // mine\n  \"manifest_version\": 3,\n  \"oauth2\": {\n    \"scopes\": [\n      \"x\"\n    ]\n  } // three\n}\n"},

		"optional marks":   {"slack.json", `{"oauth_config": {"scopes": {"bot": ["a", "b"]}}}`, "a! b?", `{"oauth_config": {"scopes": {"bot": ["a", "b"], "bot_optional": ["b"]}}}`},
		"no more optional": {"slack.json", `{"oauth_config": {"scopes": {"bot": ["a", "b"], "bot_optional": ["b"]}}}`, "a! b!", `{"oauth_config": {"scopes": {"bot": ["a", "b"], "bot_optional": []}}}`},
		"a token stays":    {"slack.json", `{"oauth_config": {"scopes": {"user": ["a"], "bot": ["b"]}}}`, "a! b! c!", `{"oauth_config": {"scopes": {"user": ["a"], "bot": ["b", "c"]}}}`},
		"goes from both":   {"slack.json", `{"oauth_config": {"scopes": {"user": ["a", "b"], "bot": ["b", "a"]}}}`, "a!", `{"oauth_config": {"scopes": {"user": ["a"], "bot": ["a"]}}}`},

		"YAML, dashes":          {"manifest.yml", "# top\npermissions:\n  scopes: # these\n    # one\n    - x # why x\n    # two\n    - 'y'\napp: {id: 1}\n", "y! z!", "# top\npermissions:\n  scopes: # these\n    # one\n    # two\n    - 'y'\n    - 'z'\napp: {id: 1}\n"},
		"YAML, last line":       {"manifest.yml", "permissions:\n  scopes:\n  - x", "x! z!", "permissions:\n  scopes:\n  - x\n  - z"},
		"YAML, last goes":       {"manifest.yml", "permissions:\n  scopes:\n  - x\n  - y", "x!", "permissions:\n  scopes:\n  - x"},
		"YAML, all go":          {"manifest.yml", "permissions:\n  scopes: # these\n    - x\nb: 1\n", "", "permissions:\n  scopes: [] # these\nb: 1\n"},
		"YAML, brackets":        {"manifest.yml", "permissions: {scopes: [x, y], b: 1} # c\n", "y! z!", "permissions: {scopes: [y, z], b: 1} # c\n"},
		"YAML, brackets, lines": {"manifest.yml", "permissions:\n  scopes: [\n    x, # why x\n    y # why y\n  ]\n", "x! z!", "permissions:\n  scopes: [\n    x, # why x\n    z\n  ]\n"},
		"YAML, an empty list":   {"manifest.yml", "permissions:\n  scopes: [] # none\n  b: 1\n", "x! z!", "permissions:\n  scopes: # none\n    - x\n    - z\n  b: 1\n"},
		"YAML, nothing there":   {"manifest.yml", "app:\n    id: 1\npermissions:\n    external: {}\n# the end\n", "x!", "app:\n    id: 1\npermissions:\n    external: {}\n    scopes:\n      - x\n# the end\n"},
		"YAML, no value":        {"manifest.yml", "permissions:\n  scopes:\nb: 1\n", "x!", "permissions:\n  scopes:\n    - x\nb: 1\n"},
		"YAML, no part":         {"manifest.yml", "modules:\n  m:\n  - key: k\napp:\n  id: 1\n", "x:y!", "modules:\n  m:\n  - key: k\napp:\n  id: 1\npermissions:\n  scopes:\n  - x:y\n"},
		"YAML, keys":            {"manifest.yml", "permissions:\n  scopes:\n    x:\n      allowImpersonation: true\n    y: {}\nb: 1\n", "x! z!", "permissions:\n  scopes:\n    x:\n      allowImpersonation: true\n    z: {}\nb: 1\n"},
		"YAML, odd words":       {"manifest.yml", "permissions:\n  scopes:\n    - x\n", "x! yes! *! 1e3!", "permissions:\n  scopes:\n    - x\n    - \"yes\"\n    - \"*\"\n    - \"1e3\"\n"},

		"TOML, a text":      {"shopify.app.toml", "# top\nname = 'x'\n\n[access_scopes] # these\n# Learn more\nscopes = \"a,b\" # why\nuse = true\n", "b! c!", "# top\nname = 'x'\n\n[access_scopes] # these\n# Learn more\nscopes = \"b,c\" # why\nuse = true\n"},
		"TOML, blanks":      {"shopify.app.toml", "[access_scopes]\nscopes = 'a, b'\n", "b! c!", "[access_scopes]\nscopes = 'b, c'\n"},
		"TOML, lists":       {"shopify.app.toml", "[access_scopes]\nrequired_scopes = [\n  'a', # why\n  'b',\n]\n\n[x]\ny = 1\n", "a! c! d?", "[access_scopes]\nrequired_scopes = [\n  'a', # why\n  'c',\n]\noptional_scopes = [\"d\"]\n\n[x]\ny = 1\n"},
		"TOML, none yet":    {"shopify.app.toml", "name = 1\r\n\r\n[x]\r\ny = 2", "a! b! c?", "name = 1\r\n\r\n[x]\r\ny = 2\r\n\r\n[access_scopes]\r\nscopes = \"a,b\"\r\noptional_scopes = [\"c\"]\r\n"},
		"TOML, indented":    {"shopify.app.toml", "[access_scopes]\n  scopes = \"a\"\n", "a! b?", "[access_scopes]\n  scopes = \"a\"\n  optional_scopes = [\"b\"]\n"},
		"TOML, dotted keys": {"shopify.app.toml", "access_scopes.scopes = \"a\"\n", "b!", "access_scopes.scopes = \"b\"\n"},
		"TOML, more braces": {"shopify.app.toml", "access_scopes = { scopes = \"a\" } # these\n", "a! b?", "access_scopes = { optional_scopes = [\"b\"], scopes = \"a\" } # these\n"},
		"TOML, many lines":  {"shopify.app.toml", "[access_scopes]\nscopes = \"\"\"a,\n  b\"\"\" # these\n", "a! c!", "[access_scopes]\nscopes = \"a,c\" # these\n"},
		"TOML, braces":      {"shopify.app.toml", "access_scopes = { scopes = \"a\", x = 1 }\n", "b!", "access_scopes = { scopes = \"b\", x = 1 }\n"},

		"levels":       {"app-hsmeta.json", `{"config": {"auth": {"requiredScopes": ["a", "b"], "optionalScopes": ["c"], "conditionallyRequiredScopes": ["d"]}}}`, "a! b? c! d e", `{"config": {"auth": {"requiredScopes": ["a", "c"], "optionalScopes": ["b", "e"], "conditionallyRequiredScopes": ["d"]}}}`},
		"braces":       {"manifest.yml", "app: {id: 1}\npermissions: {}\n", "a!", "app: {id: 1}\npermissions: {scopes: [\"a\"]}\n"},
		"JSON in YAML": {"manifest.yml", "{\"app\": {\"id\": 1}} # x\n", "a!", "{\"permissions\": {\"scopes\": [\"a\"]}, \"app\": {\"id\": 1}} # x\n"},
		"blanks":       {".mcp.json", `{"mcpServers": {"one": {"url": "https://x", "oauth": {"scopes": "a b", "id": 1}}}}`, "b! c!", `{"mcpServers": {"one": {"url": "https://x", "oauth": {"scopes": "b c", "id": 1}}}}`},
	} {
		f, err := declared.Read("", tt.file, []byte(tt.before))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := f.Into(needsOf(tt.needs), scopes.Implications{}, "")
		if err != nil || string(got) != tt.after {
			t.Errorf("%s: %v\n got %q\nwant %q", name, err, got, tt.after)
			continue
		}
		again, err := declared.Read(f.Kind.Name, tt.file, got)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := again.Compare(needsOf(tt.needs), scopes.Implications{}); len(d) > 0 {
			t.Errorf("%s: %+v is different afterwards", name, d)
		}
	}
}

// A file of a megabyte is read as fast as a small one is for each of its bytes, or refused.
func TestLargeFiles(t *testing.T) {
	size := 256 << 10
	many := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < size; i++ {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	files := map[string]string{
		"appsscript.json": `{"oauthScopes": [` + many(`"a%d",`) + `"z"]}`,
		"a-hsmeta.json":   `{"config": {` + many(`"a%d":1,`) + `"auth": {"requiredScopes": []}}}`,
		"b-hsmeta.json":   `{"config": {"auth": {"requiredScopes": [` + many(`%d,`) + `1]}}}`,
		"manifest.yml":    `permissions: {scopes: [` + many(`a%d,`) + `z]}`,
		"manifest.yaml":   "permissions:\n  scopes: [a]\n" + many("a%d: 1\n"),
	}
	size = 64 << 10
	files["shopify.app.toml"] = "[access_scopes]\nscopes = \"" + many("a%d,") + "\"\n"
	files["shopify.app.b.toml"] = many("[a%d]\n") + "[access_scopes]\nscopes = \"a\"\n"
	files["shopify.app.c.toml"] = "[access_scopes]\nrequired_scopes = [" + many("'a%d',") + "]\n"
	for file, text := range files {
		f, err := declared.Read("", file, []byte(text))
		if err != nil {
			if lines := strings.Count(err.Error(), "\n"); lines > 25 {
				t.Errorf("%s: %d lines of mistakes", file, lines)
			}
			continue
		}
		if got, err := f.Into(needsOf("z!"), scopes.Implications{}, ""); err != nil || len(got) < size/2 {
			t.Errorf("%s: %d bytes, %v", file, len(got), err)
		}
	}
	if _, err := declared.Read("", "appsscript.json", make([]byte, declared.MaxFileSize+1)); err == nil || !strings.Contains(err.Error(), "larger than 1024 KiB") {
		t.Errorf("over the limit: %v", err)
	}
}
