package scopes

import (
	"fmt"
	"iter"
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
}

type rule struct {
	from   pattern
	covers []pattern
	except Set
}

// NewImplications compiles rules. It returns an error when a pattern is malformed,
// when a variable of Scope does not stand in each of Covers (it would cover things
// that its own word does not name), or when a rule leads back to itself.
func NewImplications(rules []Rule) (Implications, error) {
	var imp Implications
	for _, r := range rules {
		compiled, err := compileRule(r)
		if err != nil {
			return Implications{}, err
		}
		imp.rules = append(imp.rules, compiled)
	}
	if at := imp.cycle(); at >= 0 {
		return Implications{}, fmt.Errorf("implication of %q leads back to itself", rules[at].Scope)
	}
	return imp, nil
}

func compileRule(r Rule) (rule, error) {
	from, err := compilePattern(r.Scope)
	if err != nil {
		return rule{}, err
	}
	compiled := rule{from: from, except: r.Except}
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

// Covering yields the scopes that would cover need, need itself left out: the
// nearest first, so x:write before *. Holding any one of them is enough.
func (imp Implications) Covering(need string) iter.Seq[string] {
	return func(yield func(string) bool) { imp.covering(need, need, yield) }
}

// covering walks the rules backwards from scope. It ends because there is no
// cycle; original is what the exceptions are held against.
func (imp Implications) covering(original, scope string, yield func(string) bool) bool {
	for i := range imp.rules {
		r := &imp.rules[i]
		for _, to := range r.covers {
			var b bindings
			if !to.match(scope, &b) || r.except.Has(original) {
				continue
			}
			from := r.from.fill(&b)
			if !yield(from) || !imp.covering(original, from, yield) {
				return false
			}
			break
		}
	}
	return true
}

// CoveredBy returns the scope in held that covers need: need itself, else the
// nearest that implies it; ok is false where none does.
func (imp Implications) CoveredBy(held Set, need string) (by string, ok bool) {
	if held.Has(need) {
		return need, true
	}
	for scope := range imp.Covering(need) {
		if held.Has(scope) {
			return scope, true
		}
	}
	return "", false
}

// cycle is the index of a rule from which the rules lead back to it, or -1.
func (imp Implications) cycle() int {
	for start := range imp.rules {
		seen := make([]bool, len(imp.rules))
		if imp.reaches(start, start, seen) {
			return start
		}
	}
	return -1
}

func (imp Implications) reaches(from, goal int, seen []bool) bool {
	for next := range imp.rules {
		if !imp.feeds(from, next) {
			continue
		}
		if next == goal {
			return true
		}
		if !seen[next] {
			seen[next] = true
			if imp.reaches(next, goal, seen) {
				return true
			}
		}
	}
	return false
}

// feeds tells whether something that rule a covers could be the scope of rule b.
func (imp Implications) feeds(a, b int) bool {
	for _, to := range imp.rules[a].covers {
		if to.overlaps(imp.rules[b].from) {
			return true
		}
	}
	return false
}
