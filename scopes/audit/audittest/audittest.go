// Package audittest writes down what tests of audits need in short: a manifest, evidence, and
// what was found.
package audittest

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// ManifestOf makes a manifest whose first entry stands on line 8.
func ManifestOf(entries string) string {
	return `version: 1
name: app
provider:
  servers: {one: {issuer: "https://id.example", api: "https://api.example"}}
  implies: [{scope: "{x}:write", covers: ["{x}:read"]}, {scope: "*", covers: ["{x}:read", "{x}:write"]}]

scopes:
` + entries
}

// Facts reads evidence, a line each: an operation or tool, and after a colon what it
// needs; "called OPERATION" of a list; "seen STATUS OPERATION SCOPES" of a recording, in
// which those that the answer named come after "named";
// "uses TOOL" of --tools; "word SCOPE".
func Facts(t testing.TB, lines ...string) *audit.Evidence {
	t.Helper()
	use := func(text string) scopes.Operation {
		u, err := scopes.ParseOperation(text)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	e := &audit.Evidence{}
	for i, line := range lines {
		where := audit.Where{File: "facts", Line: i + 1}
		verb, rest, _ := strings.Cut(line, " ")
		switch verb {
		case "called":
			e.Calls = append(e.Calls, audit.Call{Operation: use(rest), Where: where})
		case "uses":
			e.Tools = append(e.Tools, rest)
		case "lists":
			e.Calls = []audit.Call{}
		case "word":
			e.Words = append(e.Words, rest)
		case "seen":
			o := audit.Observation{Count: 1, Where: where}
			words := strings.Fields(rest)
			if _, err := fmt.Sscan(words[0], &o.Status); err != nil {
				t.Fatal(err)
			}
			o.Operation, o.Scopes = use(words[1]+" "+words[2]), words[3:]
			if at := slices.Index(o.Scopes, "named"); at >= 0 {
				o.Scopes, o.Named = o.Scopes[:at], append([]string{}, o.Scopes[at+1:]...)
			}
			e.Traffic = append(e.Traffic, o)
		default:
			at := strings.LastIndex(line, ": ")
			n := audit.Requirement{Operation: use(line[:at]), Where: where, Source: audit.SourceAPI}
			if n.Operation.Tool != "" {
				n.Source = audit.SourceMCP
			}
			if said := line[at+2:]; said != "?" {
				for alternative := range strings.SplitSeq(said, "|") {
					n.AnyOf = append(n.AnyOf, strings.Fields(strings.ReplaceAll(alternative, "-", "")))
				}
			}
			e.Requirements = append(e.Requirements, n)
		}
	}
	return e
}

// Case reads a question from a file: "scopes" are the entries of its manifest, "evidence" is
// as for [Facts]; "programs" are those that count, a line each, and "server" the scopes that
// the server lists, with blanks between them. "findings" is taken out of the archive.
func Case(t testing.TB, file string) (audit.Question, *txtar.Archive) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "findings" })
	q := audit.Question{Evidence: &audit.Evidence{}, Today: time.Date(2026, 11, 23, 23, 59, 0, 0, time.UTC)}
	for _, part := range archive.Files {
		text := string(part.Data)
		switch part.Name {
		case "scopes":
			q.Manifest = Decode(t, ManifestOf(text))
		case "evidence":
			q.Evidence = Facts(t, slices.Collect(nonblank(text))...)
		case "programs":
			q.Programs = strings.Fields(text)
		case "server":
			q.Server = scopes.Advertisement{State: scopes.Listed, Scopes: scopes.NewSet(strings.Fields(text)...)}
		default:
			t.Fatalf("%s: what is %q?", file, part.Name)
		}
	}
	return q, archive
}

func nonblank(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" && !yield(line) {
				return
			}
		}
	}
}

// Decode reads a manifest that has to be right.
func Decode(t testing.TB, text string) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Decode("scopes.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Told shows findings, a line each: the line of the manifest, kind, scope and message.
func Told(list []audit.Finding) []string {
	lines := []string{}
	for _, f := range list {
		lines = append(lines, fmt.Sprintf("%d %s %s", f.Line, f.Kind, f.Message))
	}
	return lines
}
