package manifest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/google/go-cmp/cmp"
)

const featured = `version: 1
name: app
provider: https://id.example
scopes:
  - {scope: a, level: optional, why: base, used_by: ["GET {issuer}/a", "tool:t", "tool:u"]}
  - {scope: b, level: required, why: base}
  - {any_of: [c, d], level: optional}
programs:
  one:
    scopes:
      - {scope: e, level: optional, why: one}
      - {scope: a, level: required, why: one, used_by: ["tool:t", "GET {issuer}/one"]}
  two:
    scopes:
      - {scope: b, level: optional, why: two, advertised: false}
      - {any_of: [d, c], level: recommended, why: two}
      - {scope: "c|d", level: optional, why: "a scope of that very name"}
      - {scope: a, level: recommended, why: two, used_by: ["GET {issuer}/two", "GET {issuer}/one"]}
waive:
  - {kind: unused, scope: a, reason: later, until: 2027-01-31}
`

func decode(t *testing.T, text string) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Decode("scopes.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// short shows entries, a line each.
func short(entries []scopes.Need) string {
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "%s %s %q unlisted=%v %v %v\n", e.Name(), e.Level, e.Why, e.Unadvertised, e.Programs, e.UsedBy)
	}
	return b.String()
}

func TestSelect(t *testing.T) {
	const base = `a optional "base" unlisted=false [] [GET {issuer}/a tool:t tool:u]
b required "base" unlisted=false [] []
c|d optional "" unlisted=false [] []
`
	m := decode(t, featured)
	for _, c := range []struct {
		programs []string
		want     string
	}{
		{nil, base},
		{[]string{"one"}, `a required "one" unlisted=false [one] [GET {issuer}/a tool:t tool:u GET {issuer}/one]
b required "base" unlisted=false [] []
c|d optional "" unlisted=false [] []
e optional "one" unlisted=false [one] []
`},
		{[]string{"two", "one", "two"}, `a required "one" unlisted=false [one two] [GET {issuer}/a tool:t tool:u GET {issuer}/one GET {issuer}/two]
b required "base" unlisted=true [two] []
c|d recommended "two" unlisted=false [two] []
e optional "one" unlisted=false [one] []
c|d optional "a scope of that very name" unlisted=false [two] []
`},
		{nil, base}, // selecting changed nothing in the manifest
	} {
		entries, err := m.Select(c.programs...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, short(entries)); diff != "" {
			t.Errorf("Select(%v) (-want +got):\n%s", c.programs, diff)
		}
	}
	first, _ := m.Select("one")
	before := short(first)
	m.Select("two")
	if diff := cmp.Diff(before, short(first)); diff != "" {
		t.Errorf("a second selection changed the first (-want +got):\n%s", diff)
	}
	_, err := m.Select("one", "twoo")
	var unknown *manifest.UnknownProgramError
	if !errors.As(err, &unknown) || err.Error() != `unknown program "twoo" (allowed: one, two); did you mean "two"?` {
		t.Errorf("Select of an unknown program: %v", err)
	}
	_, err = decode(t, "version: 1\nname: a\nprovider: https://id.example\nscopes: []\n").Select("x")
	if err == nil || err.Error() != `unknown program "x": this manifest has none` {
		t.Errorf("Select where there are none: %v", err)
	}
}

// What was read stands where it stood.
func TestDecodePlaces(t *testing.T) {
	m := decode(t, featured)
	e := m.Programs[0].Scopes[1]
	got := fmt.Sprint(e.File, e.Line, e.Column, e.StartLine, e.UsedBy[1].Line, e.UsedBy[1].Column, m.Programs[1].Line, m.Waivers[0].Line)
	if want := "scopes.yaml12 17 12 12 67 13 20"; got != want {
		t.Errorf("places %q, want %q", got, want)
	}
	if want := time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC); !m.Waivers[0].Until.Equal(want) {
		t.Errorf("the waiver holds until %v, want %v", m.Waivers[0].Until, want)
	}
	if got := m.Scopes[0].Tools(); !cmp.Equal(got, []string{"t", "u"}) {
		t.Errorf("tools %v", got)
	}
}

// The same manifest may be used by several at once: a test for -race.
func TestManifestConcurrently(t *testing.T) {
	m, err := manifest.Decode("scopes.yaml", ambit.ExampleManifest, nil)
	if err != nil {
		t.Fatal(err)
	}
	plans := make([]string, 8)
	var wait sync.WaitGroup
	for i := range plans {
		wait.Go(func() {
			entries, _ := m.Select(m.ProgramNames()...)
			plan := scopes.Negotiate(scopes.Negotiation{Needs: entries, Implies: m.Provider.Implies, Server: scopes.Advertisement{State: scopes.Listed, Scopes: scopes.NewSet("user:read")}})
			gap := scopes.Compare(entries, scopes.Grant{Scopes: plan.Request}, m.Provider.Implies)
			text, _ := json.Marshal([]any{plan.Request, plan.Withheld, plan.Blocked, gap.Missing, gap.Excess, gap.HiddenTools})
			plans[i] = string(text)
		})
	}
	wait.Wait()
	for _, plan := range plans {
		if plan != plans[0] || len(plan) < 100 {
			t.Fatalf("the same input gave\n%s\nand\n%s", plans[0], plan)
		}
	}
}

func TestLevels(t *testing.T) {
	if !(scopes.Optional < scopes.Recommended && scopes.Recommended < scopes.Required) {
		t.Error("levels compare with <")
	}
	for _, level := range scopes.Levels() {
		text, err := level.MarshalText()
		var back scopes.Level
		if err != nil || back.UnmarshalText(text) != nil || back != level {
			t.Errorf("%v becomes %q becomes %v", level, text, back)
		}
	}
	if err := new(scopes.Level).UnmarshalText([]byte("requierd")); err == nil || !strings.Contains(err.Error(), `did you mean "required"?`) {
		t.Errorf("UnmarshalText: %v", err)
	}
}
