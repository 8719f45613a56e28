package manifestedit

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// A Mending says which findings [Mend] settles, and how.
type Mending struct {
	Write   bool   // add what is undeclared
	Lower   bool   // lower what is over_level: to another level, to lesser scopes, or to nothing where others do
	Prune   bool   // remove what is unused
	Program string // whose list takes the new entries, one of those audited; "" for the base
}

// maxMendRounds bounds how often a mended manifest is audited again. Each round but the
// last settles something, mostly all of it at once.
const maxMendRounds = 50

// Mend edits the text of q.Manifest until no finding of the chosen kinds is left that
// an edit can settle; waived ones are left alone. It returns the text and what an audit
// of it finds, so a second run changes nothing. An entry that goes can take the only
// mention of an operation with it, and so leave another one unused: that one goes too.
//
// open is as for [manifest.Decode]; the errors are those of [audit.Audit] and of [Edit].
func Mend(q audit.Question, text []byte, how Mending, open func(path string) ([]byte, error)) ([]byte, audit.Findings, error) {
	var last, now audit.Findings
	for range maxMendRounds {
		f, err := audit.Audit(q)
		if err != nil {
			return nil, audit.Findings{}, err
		}
		change := changeFor(&f, how)
		if change.Empty() {
			return text, f, nil
		}
		edited, err := Edit(q.Manifest.File, text, change, open)
		if err != nil {
			return nil, audit.Findings{}, err
		}
		if bytes.Equal(edited, text) { // the program that takes entries is none of q.Programs
			return text, f, nil
		}
		text, last, now = edited, now, f
		if q.Manifest, err = manifest.Decode(q.Manifest.File, text, open); err != nil {
			return nil, audit.Findings{}, err
		}
	}
	return nil, audit.Findings{}, &EditError{q.Manifest.File, 0, fmt.Sprintf("each edit calls for another one: after %s comes %s, and so on; mend one of them by hand, or waive it", settled(&last, how), settled(&now, how))}
}

// settled names the first finding that an edit settles.
func settled(f *audit.Findings, how Mending) string {
	for i := range f.Findings {
		one := &f.Findings[i]
		if one.Kind == audit.Undeclared && how.Write || one.Kind == audit.Unused && how.Prune || one.Kind == audit.OverLevel && how.Lower && (one.Fix.Narrow || one.Fix.Level != nil) {
			return fmt.Sprintf("%s %q", one.Kind, one.Scope)
		}
	}
	return "nothing"
}

// changeFor is the edit that settles the findings of one audit.
func changeFor(f *audit.Findings, how Mending) Change {
	var c Change
	var programs []string
	if how.Program != "" {
		programs = []string{how.Program}
	}
	for _, e := range f.Missing {
		if how.Write {
			e.Programs = programs
			c.Add = append(c.Add, e)
		}
	}
	for i := range f.Findings {
		one := &f.Findings[i]
		switch {
		case one.Kind == audit.OverLevel && how.Lower:
			lower(&one.Fix, &c)
		case one.Kind == audit.Unused && how.Prune:
			c.Remove = append(c.Remove, one.Fix.Entries...)
		}
	}
	return c
}

// lower settles an over_level. All of one audit can be settled at once, see [audit.Fix].
func lower(x *audit.Fix, c *Change) {
	for _, e := range x.Entries {
		switch {
		case x.Level != nil && e.Level > *x.Level:
			c.Lower = append(c.Lower, LevelChange{e, *x.Level})
		case !x.Narrow:
		case len(x.Instead) == 0:
			c.Remove = append(c.Remove, e)
		case len(x.Instead) == 1 && (e.Unadvertised || !x.Instead[0].Unadvertised):
			c.Narrow = append(c.Narrow, ScopeChange{e, x.Instead[0].Name()})
		default:
			by := slices.Clone(x.Instead)
			for i := range by {
				by[i].Programs, by[i].Level = slices.Clone(e.Programs), e.Level
			}
			c.Replace = append(c.Replace, Replacement{e, by})
		}
	}
}
