package report

import (
	"github.com/ambit-auth/ambit/internal/text"
)

// A qualityIssue is an issue of GitLab's code quality report: those members of Code Climate's form
// that GitLab reads.
type qualityIssue struct {
	Description string          `json:"description"`
	CheckName   string          `json:"check_name"`
	Fingerprint string          `json:"fingerprint"`
	Severity    string          `json:"severity"` // info, minor, major, critical or blocker
	Location    qualityLocation `json:"location"`
}

type qualityLocation struct {
	Path  string       `json:"path"`
	Lines qualityLines `json:"lines"`
}

type qualityLines struct {
	Begin int `json:"begin"`
}

// CodeQuality shows findings as GitLab's code quality report. The path of a file is relative to
// directory, where it is below that.
func CodeQuality(reports []Report, directory string) any {
	var found []Finding
	for _, r := range reports {
		found = append(found, withSteps(r)...)
	}
	list := make([]qualityIssue, len(found))
	for i, name := range fingerprints(found) {
		f := found[i]
		list[i] = qualityIssue{
			text.Line(f.Message), f.Rule, name, qualitySeverity(f.Level),
			qualityLocation{below(directory, f.File), qualityLines{max(1, f.Line)}},
		}
	}
	return list
}

func qualitySeverity(s Severity) string {
	switch s {
	case Mistake:
		return "critical"
	case Warning:
		return "minor"
	}
	return "info"
}
