package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/google/go-cmp/cmp"
)

// printedBy says which commands print an output.
var printedBy = map[string]string{
	"audit":   "`ambit audit`",
	"doctor":  "`ambit doctor`",
	"explain": "`ambit explain`",
	"export":  "`ambit export`",
	"grant":   "`ambit login`, `status` and `check`",
	"init":    "`ambit init`",
	"logins":  "`ambit logins`",
	"matches": "`ambit check --matches` without a credential",
	"plan":    "`ambit plan`",
	"run":     "`ambit run --report FILE`",
	"scopes":  "`ambit scopes`",
	"token":   "`ambit token`",
	"verdict": "part of `run`",
}

// common are the members of every output, which the page explains once.
var common = []string{"schema", "ok", "error", "verdict"}

// TestOutputsPage compares the members on docs/outputs.md with the schemas that "ambit schema" prints, or writes
// them with -update.
func TestOutputsPage(t *testing.T) {
	schemas := view.Schemas()
	decode := func(name string) (s form) {
		if err := json.Unmarshal(schemas[name](), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	verdict := decode("verdict")
	verdict.Properties["schema"] = form{Type: "string"} // in another output, it is not one word alone
	whole := verdict.String()
	var want strings.Builder
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		if printedBy[name] == "" {
			t.Errorf("which command prints %s?", name)
		}
		want.WriteString("\n### " + name + "\n\n`ambit." + name + "/v1`: " + printedBy[name] + ".\n\n| member | type |\n| --- | --- |\n")
		s := decode(name)
		for member, m := range s.all() {
			if !slices.Contains(common, member) {
				kind := m.String()
				want.WriteString("| `" + member + "` | `" + strings.ReplaceAll(kind, whole, "verdict") + "` |\n")
			}
		}
	}
	page := read(t, "docs/outputs.md")
	const mark = "<!-- members -->\n"
	before, got, ok := strings.Cut(page, mark)
	if !ok {
		t.Fatal("docs/outputs.md has no mark for the members")
	}
	if testkit.Updating() {
		if err := os.WriteFile(filepath.Join(root, "docs/outputs.md"), []byte(before+mark+want.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want.String(), got); diff != "" {
		t.Errorf("docs/outputs.md (go test ./cmd/ambit -run TestOutputsPage -update):\n%s", diff)
	}
}

// A form is the part of a JSON Schema that the outputs use.
type form struct {
	Type       string
	Format     string
	Properties map[string]form
	Items      *form
	Values     *form `json:"additionalProperties"`
	AnyOf      []form
}

// all are the members of an object, by name.
func (f form) all() func(func(string, form) bool) {
	return func(yield func(string, form) bool) {
		for _, name := range slices.Sorted(maps.Keys(f.Properties)) {
			if !yield(name, f.Properties[name]) {
				return
			}
		}
	}
}

// String is the form in a short notation: a member without a type is a string.
func (f form) String() string {
	switch {
	case len(f.AnyOf) == 2:
		return f.AnyOf[0].String() + " or null"
	case f.Format == "date-time":
		return "time"
	case f.Items != nil:
		return "[" + f.Items.String() + "]"
	case f.Values != nil:
		return "{NAME: " + f.Values.String() + "}"
	case f.Type != "object":
		return f.Type
	}
	var members []string
	for name, m := range f.all() {
		if kind := m.String(); kind != "string" {
			name += ": " + kind
		}
		members = append(members, name)
	}
	return "{" + strings.Join(members, ", ") + "}"
}
