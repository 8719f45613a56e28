package view

import (
	"context"
	_ "embed" // the page's style
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

//go:embed pages/run.css
var runStyle string

// maxMoments bounds a timeline: a busy agent makes many calls. The log has them all.
const maxMoments = 2000

// A Timeline keeps what the log of a run is told, for its page. It implements
// [slog.Handler], and is safe for concurrent use. Its zero value is empty.
type Timeline struct {
	mu      sync.Mutex
	moments []runMoment
	more    int
}

// A runMoment is a record of the log; of calls that are alike and follow each other, all of them.
type runMoment struct {
	at, until time.Time
	what      string // the record's message
	call      scopes.Operation
	status    int64
	ms        int64
	facts     []string
	times     int
	cause     string   // of a refusal
	missing   []string // of a refusal
}

// Enabled implements [slog.Handler].
func (t *Timeline) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs implements [slog.Handler]; nobody uses it.
func (t *Timeline) WithAttrs([]slog.Attr) slog.Handler { return t }

// WithGroup implements [slog.Handler]; nobody uses it.
func (t *Timeline) WithGroup(string) slog.Handler { return t }

// Handle implements [slog.Handler].
func (t *Timeline) Handle(_ context.Context, r slog.Record) error {
	m := runMoment{at: r.Time, until: r.Time, what: r.Message, times: 1}
	r.Attrs(func(a slog.Attr) bool { m.take(a); return true })
	m.until = m.at.Add(time.Duration(m.ms) * time.Millisecond)
	if m.what == msgScan {
		return nil // what it found is told with the verdicts
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if last := len(t.moments) - 1; last >= 0 && t.moments[last].alike(m) {
		t.moments[last].times++
		t.moments[last].until = m.until
		t.moments[last].ms += m.ms
		return nil
	}
	if len(t.moments) >= maxMoments {
		t.more++
		return nil
	}
	t.moments = append(t.moments, m)
	return nil
}

// take reads a fact of a record.
func (m *runMoment) take(a slog.Attr) {
	switch value := a.Value.Resolve(); a.Key {
	case "base":
		m.call.Base = value.String()
	case "method":
		m.call.Method = value.String()
	case "route":
		m.call.Path = value.String()
	case "tool":
		m.call.Tool = value.String()
	case "status":
		if value.Kind() == slog.KindInt64 {
			m.status = value.Int64()
		}
	case "ms":
		if value.Kind() == slog.KindInt64 {
			m.ms = value.Int64()
		}
	case "note", "error", "why", "agent", "credential", "server":
		m.facts = append(m.facts, a.Key+" "+value.String())
	case "cause":
		m.cause = value.String()
	case "missing":
		m.missing, _ = value.Any().([]string)
	}
}

func (m *runMoment) alike(other runMoment) bool {
	return m.what == msgRequest && other.what == msgRequest && m.call == other.call && m.status == other.status && slices.Equal(m.facts, other.facts)
}

// Messages of the log that the page words.
const (
	msgRequest    = "request"
	msgRefused    = "refused"
	msgRenewed    = "renewed"
	msgNotRenewed = "not renewed"
	msgStepped    = "stepped up"
	msgNotStepped = "not stepped up"
	msgLent       = "lent"
	msgScan       = "scan"
)

// A RunPage is a run as a page.
type RunPage struct {
	Run      *Run
	Agent    string // what was run, in a word or two
	Server   provider.Server
	Timeline *Timeline
}

type runPage struct {
	filePage
	Agent, Outcome, Log string
	Good                bool
	Failure             string
	Verdicts            []runPageVerdict
	Hidden              string
	Lanes               []string
	Dots                []runPageDot
	Width, Height       int
	Took                string
	Moments             []runPageMoment
	More                int
}

type runPageVerdict struct {
	ID, Message, Call string
	Missing           []string
	Because, Possible []string
	Next              []advice.Step
}

type runPageMoment struct {
	At, Mark, Class, Word, What, Facts, Verdict string
	Times                                       int
}

// A runPageDot is a moment in the picture: a shape for each kind, so that no color is needed.
type runPageDot struct {
	X, Y         int
	Class, Title string
}

// Page is the run as one self-contained page.
func (r RunPage) Page() (string, error) {
	d := runPage{
		filePage: filePageOf("ambit run: "+text.Printable(r.Agent), fileStyle+runStyle, ""), Agent: text.Printable(r.Agent),
		Log: r.Run.Log, Hidden: strings.Join(r.Run.HiddenTools, ", "),
	}
	d.Outcome, d.Good = r.outcome()
	if r.Run.Error != nil {
		d.Failure = r.Run.Error.Message
	}
	for i, v := range r.Run.Verdicts {
		d.Verdicts = append(d.Verdicts, r.verdict(i, v.Verdict))
	}
	r.draw(&d)
	return renderPage("run.html", d)
}

// outcome is the run in one line.
func (r RunPage) outcome() (line string, good bool) {
	switch {
	case r.Run.ChildExit != nil && *r.Run.ChildExit == 0 && r.Run.Error == nil:
		return "It ended with exit code 0.", len(r.Run.Verdicts) == 0
	case r.Run.ChildExit != nil:
		return fmt.Sprintf("It ended with exit code %d.", *r.Run.ChildExit), false
	case r.Run.Error != nil:
		return "It was not started.", false
	}
	return "It has not ended.", false
}

func (r RunPage) verdict(i int, v diagnosis.Verdict) runPageVerdict {
	one := runPageVerdict{ID: fmt.Sprintf("verdict-%d", i+1), Message: r.Server.Spell(v.Message), Call: r.Server.Spell(unnamedCall(v))}
	for _, scope := range v.Missing {
		one.Missing = append(one.Missing, r.Server.Spell(scope+forWhat(v, scope)))
	}
	for _, line := range v.Evidence {
		one.Because = append(one.Because, r.Server.Spell(line))
	}
	for _, line := range v.Possible {
		one.Possible = append(one.Possible, r.Server.Spell(line))
	}
	one.Next = spelled(v.Next, r.Server)
	return one
}

// of is the verdict on a refusal; "" where none is told.
func (r RunPage) of(m *runMoment) string {
	for i, v := range r.Run.Verdicts {
		if string(v.Cause) == m.cause && slices.Equal(v.Missing, m.missing) {
			return fmt.Sprintf("verdict-%d", i+1)
		}
	}
	return ""
}

// The picture has a lane for each base, and one for the credential.
const (
	laneHeight = 26
	laneLeft   = 90
	laneWidth  = 1000
	laneRight  = 20
)

// draw lays the moments out: in the picture by their time, and in the list.
func (r RunPage) draw(d *runPage) {
	if r.Timeline == nil {
		return
	}
	r.Timeline.mu.Lock()
	defer r.Timeline.mu.Unlock()
	moments := slices.Clone(r.Timeline.moments)
	slices.SortStableFunc(moments, func(a, b runMoment) int { return a.at.Compare(b.at) })
	d.More = r.Timeline.more
	if len(moments) == 0 {
		return
	}
	began := moments[0].at
	took := time.Millisecond
	for i := range moments {
		took = max(took, moments[i].until.Sub(began))
	}
	d.Took = took.Round(time.Millisecond).String()
	for i := range moments {
		m := &moments[i]
		row := r.moment(m, m.at.Sub(began))
		d.Moments = append(d.Moments, row)
		lane := m.call.Base
		if lane == "" {
			lane = "credential"
		}
		at := slices.Index(d.Lanes, lane)
		if at < 0 {
			at = len(d.Lanes)
			d.Lanes = append(d.Lanes, lane)
		}
		x := laneLeft + int(int64(laneWidth)*int64(m.at.Sub(began)/time.Microsecond)/int64(took/time.Microsecond))
		d.Dots = append(d.Dots, runPageDot{X: min(x, laneLeft+laneWidth), Y: at*laneHeight + laneHeight/2, Class: row.Class, Title: row.At + " " + row.Word + " " + row.What})
	}
	d.Width, d.Height = laneLeft+laneWidth+laneRight, len(d.Lanes)*laneHeight
}

// moment is a row of the list.
func (r RunPage) moment(m *runMoment, after time.Duration) runPageMoment {
	row := runPageMoment{At: fmt.Sprintf("+%.3f s", after.Seconds()), Class: "plain", Mark: "·", Word: m.what, Times: m.times}
	if m.call.Method != "" || m.call.Tool != "" {
		row.What = r.Server.Spell(m.call.String())
		if m.call.Tool != "" {
			row.What = r.Server.Spell(scopes.Operation{Tool: m.call.Tool}.String())
		}
	}
	facts := slices.Clone(m.facts)
	switch m.what {
	case msgRequest:
		row.Class, row.Mark, row.Word = "call", "●", "call"
		switch {
		case m.status == 0:
			row.Class, row.Mark, row.Word = "refused", "✕", "no response"
		case !scopes.Succeeded(int(m.status)):
			row.Class, row.Mark, row.Word = "refused", "✕", fmt.Sprint(m.status)
		default:
			row.Word = fmt.Sprint(m.status)
		}
		facts = append(facts, fmt.Sprintf("%d ms", m.ms))
	case msgRefused:
		row.Class, row.Mark, row.Word, row.Verdict = "refused", "✕", "refused", r.of(m)
		row.What = strings.TrimSpace(strings.ReplaceAll(m.cause, "_", " ") + " " + strings.Join(m.missing, ", "))
	case msgRenewed, msgStepped:
		row.Class, row.Mark = "renewed", "◆"
		row.Word = map[string]string{msgRenewed: "renewed", msgStepped: "scopes added"}[m.what]
	case msgNotRenewed, msgNotStepped:
		row.Class, row.Mark = "lost", "◇"
		row.Word = map[string]string{msgNotRenewed: "not renewed", msgNotStepped: "no scopes added"}[m.what]
	case msgLent:
		row.Word = "credential lent"
	}
	row.Facts = r.Server.Spell(strings.Join(facts, "; "))
	return row
}

// LaneY is where a lane's name stands.
func (d runPage) LaneY(i int) int { return i*laneHeight + laneHeight/2 + 4 }
