package audit_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/audit/audittest"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// Each rule has a folder of cases: a manifest, what the sources say, and what is found. A
// case shows every finding, for the rules are there for one another. With -update what is
// found is written anew.
func TestRules(t *testing.T) {
	files, err := filepath.Glob("testdata/rule_*/*.txtar")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d cases: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(file, "testdata/rule_"), ".txtar"), func(t *testing.T) {
			q, archive := audittest.Case(t, file)
			f, err := audit.Audit(q)
			if err != nil {
				t.Fatal(err)
			}
			forwards, backwards, err := audit.FindBackwards(q)
			if diff := cmp.Diff(shown(audit.Findings{Findings: forwards}), shown(audit.Findings{Findings: backwards})); diff != "" || err != nil {
				t.Errorf("the rules depend on their order: %v %s", err, diff)
			}
			archive.Files = append(archive.Files, txtar.File{Name: "findings", Data: []byte(shown(f))})
			testkit.Golden(t, file, string(txtar.Format(archive)))
		})
	}
}

// Each kind of finding has one rule, which says in its own words what it finds and what to do,
// and a case in which it finds something.
func TestEveryKindHasItsRule(t *testing.T) {
	var kinds []audit.FindingKind
	for _, rule := range audit.Rules() {
		kinds = append(kinds, rule.Kind)
		if !strings.HasSuffix(rule.Summary, ".") || !strings.HasSuffix(rule.Help, ".") {
			t.Errorf("%s: %q, %q", rule.Kind, rule.Summary, rule.Help)
		}
	}
	if diff := cmp.Diff(manifest.FindingKinds(), kinds); diff != "" {
		t.Error(diff)
	}
	found := make(map[audit.FindingKind]bool)
	files, _ := filepath.Glob("testdata/rule_*/*.txtar") // the pattern is right
	for _, file := range files {
		q, _ := audittest.Case(t, file)
		f, err := audit.Audit(q)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range f.Findings {
			found[one.Kind] = true
		}
	}
	if len(found) != len(kinds) {
		t.Errorf("the cases show only %v", found)
	}
}

// shown is every finding, with the evidence below it.
func shown(f audit.Findings) string {
	var b strings.Builder
	show := func(list []audit.Finding, mark string) {
		for _, one := range list {
			level := ""
			if one.Level != nil {
				level = one.Level.String()
			}
			fmt.Fprintf(&b, "%s%d %s %s: %s\n", mark, one.Line, one.Kind, level, one.Message)
			for _, line := range one.Evidence {
				fmt.Fprintf(&b, "\t%s\n", line)
			}
		}
	}
	show(f.Findings, "")
	show(f.Waived, "waived: ")
	for _, note := range f.Notes {
		fmt.Fprintf(&b, "note: %s: %s\n", note.Where, note.Message)
	}
	return b.String()
}
