// Package view renders values: for people, as the JSON of the contract, as findings of a report,
// Markdown and pages. A view holds no logic of its own: all formats show the same value, and
// text from outside is made fit for each of them here.
package view

import (
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/ambit-auth/ambit/internal/report"
)

// A View is a result that can be shown: for people, or as the contract's JSON. Both
// render the same value.
type View interface {
	Text(p *Printer)
	JSON(e Envelope) any
}

// An Envelope is what every JSON answer has.
type Envelope struct {
	Schema string `json:"schema"`
	OK     bool   `json:"ok"`
	Error  *Error `json:"error,omitempty"`

	Verdict *Cause `json:"verdict,omitempty"` // why a credential does not do
}

// An Error is a failure in JSON.
type Error struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// ErrorOf is a failure as the error of an [Envelope].
func ErrorOf(f *Failure) *Error { return &Error{f.Code, f.Message, f.Hint} }

// A Text is a result that is a text, and in JSON a member of an object.
type Text struct{ Member, Content string }

// Text implements [View].
func (v Text) Text(p *Printer) { p.line("%s", strings.TrimSuffix(v.Content, "\n")) }

// JSON implements [View].
func (v Text) JSON(e Envelope) any {
	return map[string]any{"schema": e.Schema, "ok": e.OK, v.Member: v.Content}
}

// A Reporter is a view that can also be shown as findings at lines of files.
type Reporter interface {
	View
	Reports() []report.Report
}

// A Version is ambit.version/v1.
type Version struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	System  string `json:"system"`
}

// Text implements [View].
func (v Version) Text(p *Printer) { p.line("%s", v.Line()) }

// Line is the version in one line.
func (v Version) Line() string { return "ambit " + v.Version + " " + v.Go + " " + v.System }

// JSON implements [View].
func (v Version) JSON(e Envelope) any {
	return struct {
		Envelope
		Version
	}{e, v}
}

// release is the version of a release, which its build sets: -ldflags "-X …/internal/view.release=…".
var release string

// ReadVersion is the version of this program, as it was built: a release's own, else that of the module or
// of the commit, as Go records it.
func ReadVersion() Version {
	v := Version{Version: "devel", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); release != "" {
		v.Version = release
	} else if ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	return v
}
