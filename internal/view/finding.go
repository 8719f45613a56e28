package view

// A Finding is one thing that a check or an audit has to say about a line of a file.
// The annotations of a pipeline, SARIF and the Markdown summary all render these.
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
	notice Severity = iota
	warning
	mistake // what makes the run fail
)

// Reporter is a view that can also be shown as findings.
type Reporter interface {
	View
	findings() []Finding
	title() string          // of the summary
	summary() []summaryLine // a row a need
}

// A summaryLine is a row of the Markdown table.
type summaryLine struct {
	Scope, Level, State, Why string
}
