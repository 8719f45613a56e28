// Package report shows what a check or an audit found, at the lines of files, in the forms that
// pipelines read: workflow commands and Markdown for GitHub, SARIF, JUnit, and GitLab's code quality. It decides nothing: every form
// shows the same [Report], and text from outside is made fit for each of them here.
package report

import (
	"slices"

	"github.com/ambit-auth/ambit/internal/advice"
)

// A Report is what a check or an audit of one manifest has to say.
type Report struct {
	Name     string        // what was looked at: the manifest's name, or its file
	Verdict  string        // the outcome, in one sentence
	Steps    []advice.Step // what to do about it, the first thing first
	Findings []Finding
	Rows     []Row // one a need
}

// Fails reports whether the run failed for something here.
func (r Report) Fails() bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Level == Mistake })
}

// A Row is a row of the Markdown table.
type Row struct {
	Scope, Level, State, Why string
}

// A Finding is one thing that a check or an audit has to say about a line of a file.
type Finding struct {
	Rule    string   // a stable word: missing_scope, excess, drift_vanished, …
	Level   Severity // how bad it is in this run
	File    string   // as the user named it; hostile until escaped
	Line    int      // from 1; 0 where no line is meant
	Column  int      // from 1; 0 where no column is meant
	Scope   string   // "" where no scope is meant
	Message string   // one sentence
}

// A Severity is how bad a finding is in this run.
type Severity int

// The severities, mildest first.
const (
	Notice Severity = iota
	Warning
	Mistake // what makes the run fail
)

// word is the severity's name in workflow commands and for people.
func (s Severity) word() string {
	switch s {
	case Mistake:
		return "error"
	case Warning:
		return "warning"
	}
	return "notice"
}

// DriftVanished is the rule of a declared scope that its server no longer advertises.
const DriftVanished = "drift_vanished"

// findingsOf are the findings of all reports.
func findingsOf(reports []Report) []Finding {
	var list []Finding
	for _, r := range reports {
		list = append(list, r.Findings...)
	}
	return list
}
