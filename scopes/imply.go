package scopes

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// A Rule says that holding one scope is as good as holding others. Its scopes
// are patterns: {name} stands for one or more characters other than a colon, and
// means the same on both sides. The scope * is the word itself, no pattern.
//
//	{x}:write  covers  {x}:read
type Rule struct {
	Scope  string   // what is held
	Covers []string // what that is as good as
	Except Set      // what it does not cover, though the patterns say so
}

// Implications answers what covers what. The zero value implies nothing. It never
// changes after it was made and is safe for concurrent use.
type Implications struct {
	rules []rule
	names Names
}

type rule struct {
	scope  string
	from   pattern
	covers []pattern
	except Set
	fed    bool // another rule leads to this one
}

// NewImplications compiles rules. It returns a *[RuleError] when a pattern is malformed,
// when a variable of Scope does not stand in each of Covers (it would cover things
// that its own word does not name), or when a rule leads back to itself.
func NewImplications(rules []Rule) (Implications, error) {
	var imp Implications
	for i, r := range rules {
		compiled, err := compileRule(r)
		if err != nil {
			return Implications{}, &RuleError{Index: i, Err: err}
		}
		imp.rules = append(imp.rules, compiled)
	}
	if at := imp.cycle(); at >= 0 {
		return Implications{}, &RuleError{Index: at, Cycle: true, Err: fmt.Errorf("the implication of %q leads back to itself", rules[at].Scope)}
	}
	return withFed(imp.rules), nil
}

// A RuleError says which rule cannot be used, and why.
type RuleError struct {
	Index int  // of the rule in the list
	Cycle bool // the rule is right by itself, and leads back to itself by others
	Err   error
}

// Error is the reason.
func (e *RuleError) Error() string { return e.Err.Error() }

// Unwrap is the reason as an error.
func (e *RuleError) Unwrap() error { return e.Err }

// Check returns why the rule by itself cannot be used; nil where it can.
func (r Rule) Check() error {
	_, err := compileRule(r)
	return err
}

func compileRule(r Rule) (rule, error) {
	from, err := compilePattern(r.Scope)
	if err != nil {
		return rule{}, err
	}
	compiled := rule{scope: r.Scope, from: from, except: r.Except}
	for _, c := range r.Covers {
		to, err := compilePattern(c)
		if err != nil {
			return rule{}, err
		}
		for _, name := range from.variables() {
			if !strings.Contains(c, "{"+name+"}") {
				return rule{}, fmt.Errorf("%q covers %q, which does not name {%s}", r.Scope, c, name)
			}
		}
		compiled.covers = append(compiled.covers, to)
	}
	return compiled, nil
}

// maxCovering bounds how many scopes are looked at for one need. No provider has
// ten; patterns that multiply from rule to rule can name more than memory holds.
const maxCovering = 64

// Covering yields the scopes that would cover need, each once and need itself left
// out: the nearest first, so x:write before *, at most 64. Holding any one of them
// is enough.
func (imp Implications) Covering(need string) iter.Seq[string] {
	return func(yield func(string) bool) {
		var near [8]string // enough for most, without an allocation
		found := append(near[:0], need)
		for at := 0; at < len(found); at++ {
			for from := range imp.directly(need, found[at]) {
				if slices.Contains(found, from) {
					continue
				}
				if len(found) > maxCovering || !yield(from) {
					return
				}
				found = append(found, from)
			}
		}
	}
}

// directly yields the scopes that cover scope by one rule, on the way to need. What
// a rule excepts it covers neither as the need nor on the way there.
func (imp Implications) directly(need, scope string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range imp.rules {
			r := &imp.rules[i]
			for _, to := range r.covers {
				var b bindings
				if !to.match(scope, &b) || r.except.Has(need) || scope != need && r.except.Has(scope) {
					continue
				}
				if !yield(r.from.fill(&b)) {
					return
				}
			}
		}
	}
}

// CoveredBy returns the scope in held that covers need: need itself, else the
// nearest that implies it, by whatever name the service has for them; ok is false where none does.
func (imp Implications) CoveredBy(held Set, need string) (by string, ok bool) {
	if held.Has(need) {
		return need, true
	}
	for scope := range imp.Covering(need) {
		if held.Has(scope) {
			return scope, true
		}
	}
	return imp.coveredByName(held, need)
}

// SpeaksOf reports whether a rule speaks of a scope: by its own word, or by a form of which
// some part is fixed.
func (imp Implications) SpeaksOf(scope string) bool {
	has := func(p pattern) bool {
		var b bindings
		return len(p.parts)+p.whole.Fixed() > 1 && p.match(scope, &b)
	}
	for i := range imp.rules {
		if has(imp.rules[i].from) || slices.ContainsFunc(imp.rules[i].covers, has) {
			return true
		}
	}
	return false
}

// nearest looks for a scope that covers need by one rule, without writing it down: most look-ups
// end here. more reports whether there may be others.
func (imp Implications) nearest(need string, asked *asked) (at int, more bool) {
	var buffer [64]byte // most scopes fit
	var b bindings
	for i := range imp.rules {
		r := &imp.rules[i]
		for c := range r.covers {
			if b.n = 0; !r.covers[c].match(need, &b) || r.except.Has(need) {
				continue
			}
			if at := itemOf(asked, r.from.appendTo(buffer[:0], &b)); at >= 0 {
				return at, true
			}
			more = more || r.fed
		}
	}
	return -1, more
}

// among is what remains of the rules when only what the needs name can be held: a rule of one
// fixed scope, such as *, that is none of that and that no other rule leads to, says nothing
// then. Most walks get shorter by that.
func (imp Implications) among(needs []Need) Implications {
	var kept []rule
	for _, r := range imp.rules {
		keep := r.fed || len(r.from.variables()) > 0
		for i := 0; i < len(needs) && !keep; i++ {
			keep = slices.Contains(needs[i].AnyOf, r.scope)
		}
		if keep {
			kept = append(kept, r)
		}
	}
	if len(kept) == len(imp.rules) {
		return imp
	}
	fewer := withFed(kept)
	fewer.names = imp.names
	return fewer
}

// withFed notes which rules another one leads to.
func withFed(rules []rule) Implications {
	imp := Implications{rules: rules}
	for i := range rules {
		rules[i].fed = false
		for from := range rules {
			rules[i].fed = rules[i].fed || imp.feeds(from, i)
		}
	}
	return imp
}

// cycle is the index of a rule from which the rules lead back to it, or -1.
func (imp Implications) cycle() int {
	state := make([]visit, len(imp.rules))
	for start := range imp.rules {
		if at := imp.walk(start, state); at >= 0 {
			return at
		}
	}
	return -1
}

// A visit says how far a depth-first walk has come with a rule.
type visit int

const (
	unseen visit = iota
	onTheWay
	done
)

// walk returns the rule at which a walk from this one meets its own way, or -1.
func (imp Implications) walk(from int, state []visit) int {
	state[from] = onTheWay
	for next := range imp.rules {
		if state[next] == done || !imp.feeds(from, next) {
			continue
		}
		if state[next] == onTheWay {
			return next
		}
		if at := imp.walk(next, state); at >= 0 {
			return at
		}
	}
	state[from] = done
	return -1
}

// feeds reports whether something that rule a covers could be the scope of rule b.
func (imp Implications) feeds(a, b int) bool {
	for _, to := range imp.rules[a].covers {
		if to.overlaps(imp.rules[b].from) {
			return true
		}
	}
	return false
}

// Uncovered are those of the wanted scopes that are not held, and that nothing held implies.
func (imp Implications) Uncovered(wanted []string, held Set) []string {
	return slices.DeleteFunc(slices.Clone(wanted), func(scope string) bool {
		need := Need{AnyOf: []string{scope}}
		_, _, met := need.MetBy(held, imp)
		return met
	})
}
