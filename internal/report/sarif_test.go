package report

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func sarifOf(t *testing.T, r Report) string {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(SARIF([]Report{r}, "devel")); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// publishedSchema is the JSON Schema of SARIF 2.1.0; see testdata/README.md.
func publishedSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.Open("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	document, err := jsonschema.UnmarshalJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource(sarifSchema, document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(sarifSchema)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestSARIFIsValid(t *testing.T) {
	schema := publishedSchema(t)
	check := Report{Findings: []Finding{{Rule: "missing_scope", Level: Mistake, File: "app/scopes.yaml", Line: 6, Column: 5, Scope: "a:read", Message: "m"}}}
	validate := func(text string) error {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(value)
	}
	for name, r := range map[string]Report{
		"check":           check,
		"nothing":         {},
		"hostile":         hostile(),
		"no place":        {Findings: []Finding{{Rule: "r", Message: "m"}}},
		"negative column": {Findings: []Finding{{Rule: "r", Message: "m", File: "f", Line: 1, Column: -1}}},
		"colon in a name": {Findings: []Finding{{Rule: "r", Message: "m", File: "a:b/c d%.yaml", Line: 1}}},
	} {
		if err := validate(sarifOf(t, r)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The schema in use does refuse what is wrong.
	text := sarifOf(t, check)
	for _, wrong := range [][2]string{{`"level": "error"`, `"level": "mistake"`}, {`"startLine": 6`, `"startLine": 0`}, {`"ruleId"`, `"rule"`}, {`"driver"`, `"driven"`}} {
		broken := strings.Replace(text, wrong[0], wrong[1], 1)
		if broken == text || validate(broken) == nil {
			t.Errorf("with %s in place of %s it is still valid", wrong[1], wrong[0])
		}
	}
}

func TestSARIFLevels(t *testing.T) {
	log := SARIF([]Report{{Findings: []Finding{{Rule: "a", Level: Mistake}, {Rule: "b", Level: Warning}, {Rule: "a", Level: Notice}}}}, "").(sarifLog)
	run := log.Runs[0]
	want := []struct {
		level string
		rule  int
	}{{"error", 0}, {"warning", 1}, {"note", 0}}
	for i, r := range run.Results {
		if r.Level != want[i].level || r.RuleIndex != want[i].rule || run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
			t.Errorf("result %d: level %q, rule %d %q", i, r.Level, r.RuleIndex, r.RuleID)
		}
	}
	if len(run.Results) != 3 || len(run.Tool.Driver.Rules) != 2 {
		t.Errorf("%d results and %d rules", len(run.Results), len(run.Tool.Driver.Rules))
	}
}

// Every rule of an audit and of a check says in its own words what it finds, and what to do.
func TestSARIFRules(t *testing.T) {
	ids := []string{"missing_scope", "excess", "credential", DriftVanished, "drift_new", "drift_manifest"}
	for _, kind := range manifest.FindingKinds() {
		ids = append(ids, string(kind))
	}
	for _, id := range ids {
		if short, help := ruleHelp(id); help == "" || strings.Contains(short, strings.ReplaceAll(id, "_", " ")+".") {
			t.Errorf("%s: %q, %q", id, short, help)
		}
	}
}

// A Finding is the same one after its line moved; two of a kind are two.
func TestSARIFFingerprints(t *testing.T) {
	prints := func(list ...Finding) (names []string) {
		for _, r := range SARIF([]Report{{Findings: list}}, "").(sarifLog).Runs[0].Results {
			names = append(names, r.Fingerprints[fingerprintName])
		}
		return names
	}
	a := Finding{Rule: "r", Scope: "s", File: "f", Line: 1, Message: "m"}
	moved, twice := a, prints(a, a)
	moved.Line, moved.Message, moved.Level = 9, "other words", Warning
	if got := prints(moved)[0]; got != prints(a)[0] {
		t.Error("another line makes another finding of it")
	}
	if twice[0] == twice[1] || twice[0] != prints(a)[0] {
		t.Errorf("two of a kind are %v", twice)
	}
	for _, other := range []Finding{{Rule: "r2", Scope: "s", File: "f"}, {Rule: "r", Scope: "s2", File: "f"}, {Rule: "r", Scope: "s", File: "f2"}} {
		if prints(other)[0] == prints(a)[0] {
			t.Errorf("%+v is taken for the same", other)
		}
	}
}

func TestSARIFURIs(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"scopes.yaml":                       "scopes.yaml",
		"./a/../b c/scopes.yaml":            "b%20c/scopes.yaml",
		filepath.Join(here, "a", "s.yaml"):  "a/s.yaml",
		"a:b.yaml":                          "./a:b.yaml",
		filepath.Join(here, "..", "s.yaml"): "file://" + filepath.ToSlash(filepath.Dir(here)) + "/s.yaml",
		"../s.yaml":                         "file://" + filepath.ToSlash(filepath.Dir(here)) + "/s.yaml",
	} {
		if got := sarifURI(file); got != want {
			t.Errorf("sarifURI(%q) = %q, want %q", file, got, want)
		}
	}
}

// Nobody makes a link of a reason.
func TestSARIFMessagesHoldNoLinks(t *testing.T) {
	if text := sarifOf(t, hostile()); strings.Contains(text, "](") {
		t.Errorf("a link stands in\n%s", text)
	}
}
