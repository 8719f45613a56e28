package view

import (
	"fmt"

	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/declared"
	"github.com/ambit-auth/ambit/internal/report"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// A Match is a file that declares scopes for a platform, compared with the manifest.
type Match struct {
	File        *declared.File
	Differences []declared.Difference
	Next        []advice.Step // what to do about them
}

type matchJSON struct {
	File        string           `json:"file"`
	Kind        string           `json:"kind"`
	Entry       string           `json:"entry"` // whose scopes are meant, where a file has several entries; else ""
	Differences []differenceJSON `json:"differences"`
	Next        []stepJSON       `json:"next"`
}

// A differenceJSON is a scope; of the two places the one is "" and 0 that does not ask for it.
type differenceJSON struct {
	Kind     declared.DifferenceKind `json:"kind"` // only_in_file, only_in_manifest or other_level
	Scope    string                  `json:"scope"`
	Message  string                  `json:"message"`
	File     placeJSON               `json:"file"`
	Manifest placeJSON               `json:"manifest"`
}

type placeJSON struct {
	Path  string `json:"path"`
	Line  int    `json:"line"`
	Level string `json:"level"`
}

func matchesOf(matches []Match) []matchJSON {
	list := make([]matchJSON, len(matches))
	for i, m := range matches {
		list[i] = matchJSON{m.File.Path, m.File.Kind.Name, m.File.Entry, []differenceJSON{}, stepsOf(m.Next)}
		for _, d := range m.Differences {
			one := differenceJSON{Kind: d.Kind, Scope: d.Scope, Message: m.sentence(d)}
			if d.Kind != declared.OnlyInManifest {
				one.File = placeJSON{m.File.Path, d.At.Line, d.At.Level.String()}
			}
			if d.Kind != declared.OnlyInFile {
				one.Manifest = placeJSON{d.Need.File, d.Need.Line, d.Need.Level.String()}
			}
			list[i].Differences = append(list[i].Differences, one)
		}
	}
	return list
}

// place is where a difference stands, and sentence what it is.
func (m Match) place(d declared.Difference) string {
	if d.Kind == declared.OnlyInManifest {
		return Place(d.Need.File, d.Need.Line)
	}
	return Place(m.File.Path, d.At.Line)
}

func (m Match) sentence(d declared.Difference) string {
	file, of := text.Printable(m.File.Path), ""
	if d.At.Token != "" {
		of = " for the token " + d.At.Token
	}
	switch d.Kind {
	case declared.OnlyInFile:
		return fmt.Sprintf("%s is declared there%s, and the manifest does not ask for it", text.Printable(d.Scope), of)
	case declared.OnlyInManifest:
		return fmt.Sprintf("%s is %s, and %s does not declare it: %s", scopes.InWords(text.Printable(d.Need.Name())), d.Need.Level, file, Why(d.Need))
	}
	return fmt.Sprintf("%s is %s there%s, and %s in %s: %s", text.Printable(d.Scope), d.At.Level, of, d.Need.Level, Place(d.Need.File, d.Need.Line), Why(d.Need))
}

// writeMatches says of each file whether it asks for what the manifest does.
func writeMatches(p *Printer, matches []Match) {
	for _, m := range matches {
		if len(m.Differences) == 0 {
			p.line("%s asks for the same scopes as the manifest", text.Printable(m.File.Path))
			continue
		}
		for _, d := range m.Differences {
			p.wrapped("  ", p.Paint.Yellow(m.place(d)+": ")+m.sentence(d))
		}
		for _, step := range m.Next {
			p.step(step)
		}
	}
}

// matchFindings puts each difference on the line of the file that asks for more.
func matchFindings(matches []Match) []report.Finding {
	var list []report.Finding
	for _, m := range matches {
		for _, d := range m.Differences {
			f := report.Finding{Rule: string(d.Kind), Level: report.Mistake, File: m.File.Path, Line: d.At.Line, Column: d.At.Column, Scope: d.Scope, Message: m.sentence(d)}
			if d.Kind == declared.OnlyInManifest {
				f.File, f.Line, f.Column = d.Need.File, d.Need.Line, d.Need.Column
			}
			list = append(list, f)
		}
	}
	return list
}

// A Matches shows comparisons alone: ambit.matches/v1.
type Matches struct {
	Manifest string
	List     []Match
}

type matchesJSON struct {
	Envelope
	Matches []matchJSON `json:"matches"`
}

// MatchesSchema is what [Matches] are called in JSON.
const MatchesSchema = "ambit.matches/v1"

// JSON implements [View].
func (v Matches) JSON(e Envelope) any {
	e.Schema = MatchesSchema
	return matchesJSON{e, matchesOf(v.List)}
}

// Text implements [View].
func (v Matches) Text(p *Printer) { writeMatches(p, v.List) }

// Reports implements [Reporter].
func (v Matches) Reports() []report.Report {
	r := report.Report{Name: v.Manifest, Verdict: "files of platforms declare the same scopes as the manifest", Findings: matchFindings(v.List)}
	if len(r.Findings) > 0 {
		r.Verdict = "files of platforms declare other scopes than the manifest"
	}
	for _, m := range v.List {
		r.Steps = append(r.Steps, m.Next...)
	}
	for _, m := range v.List {
		for _, d := range m.Differences {
			level := d.Need.Level
			if d.Kind == declared.OnlyInFile {
				level = d.At.Level
			}
			r.Rows = append(r.Rows, report.Row{Scope: d.Scope, Level: level.String(), State: m.sentence(d), Why: m.place(d)})
		}
	}
	return []report.Report{r}
}
