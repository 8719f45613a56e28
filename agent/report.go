package agent

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
)

// maxReported bounds how many verdicts of one run are reported: an agent that tries a
// thousand things gets one refusal each. So it does which fields came beside the lease.
const maxReported = 100

// A verdictLog remembers which causes and scopes were reported, and which fields that came beside
// the lease, so that each is reported once.
type verdictLog struct {
	mu       sync.Mutex
	reported []diagnosis.Verdict
	known    map[string]bool
	beside   [][]string
}

// report reports a verdict, unless all of it was reported.
func (p *Proxy) report(v diagnosis.Verdict) {
	p.log.Warn("refused", "status", v.Status, "base", v.Base, "method", v.Method, "cause", v.Cause, "confidence", v.Confidence,
		"missing", v.Missing, "conflicts", v.Conflicts)
	p.reporting.Lock()
	defer p.reporting.Unlock()
	if p.verdicts.add(v) && p.cfg.OnVerdict != nil {
		p.cfg.OnVerdict(v)
	}
}

// add notes a verdict, if there is news in it.
func (l *verdictLog) add(v diagnosis.Verdict) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.goesOn(v) || !l.news(v) || len(l.reported) >= maxReported {
		return false
	}
	l.reported = append(l.reported, v)
	return true
}

// goesOn takes over what is known now of a spell that was reported. One that is shorter is another,
// and is not told.
func (l *verdictLog) goesOn(v diagnosis.Verdict) bool {
	at := l.ofSpell(v)
	if at >= 0 && v.Spell.Lasted > l.reported[at].Spell.Lasted {
		l.reported[at] = v
	}
	return at >= 0
}

// ofSpell is the index of the verdict on a spell of the same base; -1 where there is none.
func (l *verdictLog) ofSpell(v diagnosis.Verdict) int {
	return slices.IndexFunc(l.reported, func(r diagnosis.Verdict) bool {
		return v.Spell.Lasted > 0 && r.Spell.Lasted > 0 && r.Base == v.Base
	})
}

// latest is the verdict as it is now.
func (l *verdictLog) latest(v diagnosis.Verdict) diagnosis.Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at := l.ofSpell(v); at >= 0 {
		v.Message, v.Status, v.Evidence = l.reported[at].Message, l.reported[at].Status, l.reported[at].Evidence
	}
	return v
}

// news reports whether some of the verdict's causes and scopes are new.
func (l *verdictLog) news(v diagnosis.Verdict) bool {
	keys := make([]string, 0, len(v.Missing)+1)
	for _, scope := range v.Missing {
		key := string(v.Cause) + " " + scope
		if v.Beside && !l.known[key] { // a call that lacks it is told all the same, by its name
			key += " of the grant"
		}
		keys = append(keys, key)
	}
	switch {
	case len(keys) > 0:
	case v.Cause == diagnosis.CauseUnknown:
		keys = append(keys, string(v.Cause)+" "+v.Base+" "+strconv.Itoa(v.Status)+" "+withoutDigits(v.Said))
	default:
		keys = append(keys, string(v.Cause)+" "+v.Message)
	}
	if l.known == nil {
		l.known = make(map[string]bool)
	}
	found := false
	for _, key := range keys {
		found = found || !l.known[key]
		l.known[key] = true
	}
	return found
}

// withoutDigits is a sentence without numbers: they count requests, or name one.
func withoutDigits(said string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsDigit(c) {
			return -1
		}
		return c
	}, said)
}

// list is what was reported: the first that decides a run before the others.
func (l *verdictLog) list() []diagnosis.Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := slices.Clone(l.reported)
	if at := slices.IndexFunc(list, diagnosis.Verdict.Decides); at > 0 {
		decides := list[at]
		list = slices.Insert(slices.Delete(list, at, at+1), 0, decides)
	}
	return list
}

// note tells of what is no refusal, once.
func (p *Proxy) note(what string) {
	p.reporting.Lock()
	defer p.reporting.Unlock()
	if p.noted[what] || len(p.noted) >= maxReported {
		return
	}
	if p.noted == nil {
		p.noted = make(map[string]bool)
	}
	p.noted[what] = true
	p.log.Info("noted", "note", what)
	if p.cfg.OnNote != nil {
		p.cfg.OnNote(what)
	}
}

// sourceRequest is the source of a [profile.Conflict] that a request itself showed.
const sourceRequest = "request"

// beside is what a request carried beside the lease. It says nothing of any other request.
func beside(fields []string) profile.Conflict {
	return profile.Conflict{Path: "the request", Source: sourceRequest, Keys: fields, Effect: profile.EffectDropped}
}

// reportBeside reports, once for each set of fields, that a credential came beside the
// lease.
func (p *Proxy) reportBeside(fields []string) {
	if len(fields) == 0 {
		return
	}
	p.reporting.Lock()
	defer p.reporting.Unlock()
	if !p.verdicts.addBeside(fields) {
		return
	}
	p.log.Warn("another credential came beside the lease and was dropped", "fields", fields)
	if p.cfg.OnConflict != nil {
		p.cfg.OnConflict(beside(fields))
	}
}

// addBeside notes a set of fields, if it is new.
func (l *verdictLog) addBeside(fields []string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.beside) >= maxReported || slices.ContainsFunc(l.beside, func(known []string) bool { return slices.Equal(known, fields) }) {
		return false
	}
	l.beside = append(l.beside, fields)
	return true
}
