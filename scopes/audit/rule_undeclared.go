package audit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

var undeclaredRule = Rule{
	Kind:    Undeclared,
	Summary: "The program needs a scope that the manifest does not declare.",
	Help:    "Declare it with a level and a reason; ambit audit --write adds it with its operations.",
	Fails:   true,
	find:    findUndeclared,
}

// findUndeclared finds what is required and not declared.
func findUndeclared(f *facts) []Finding {
	g := f.gap()
	var found []Finding
	for _, scope := range slices.Sorted(maps.Keys(g.lacking)) {
		found = append(found, f.undeclared(scope, g.lacking[scope], f.certain.Union(g.add).Union(g.refused)))
	}
	return found
}

// undeclared is the finding about one scope. held are those that are or will be declared, and
// those that a waiver says will not.
func (f *facts) undeclared(scope string, lacking []*requirement, held scopes.Set) Finding {
	what := lacking[0].Operation.String()
	if more := len(lacking) - 1; more > 0 {
		what = fmt.Sprintf("%s and %d more", what, more)
	}
	instead := ""
	if others := otherWays(scope, lacking); len(others) > 0 {
		instead = fmt.Sprintf(", or %s in its place,", strings.Join(others, " or "))
	}
	message := fmt.Sprintf("%s%s is needed by %s, and not declared", scope, instead, what)
	if by, _ := f.implies.CoveredBy(held, scope); by != scope {
		message += fmt.Sprintf("; %s, which is needed too, covers it", by)
	} else if f.words.Has(scope) {
		message += " for certain: it is one of several alternatives, of which only one is asked for"
	} else if programs := f.declaredBy(scope); len(programs) > 0 {
		message += fmt.Sprintf(" without --program %s", strings.Join(programs, " or "))
	}
	level := scopes.Recommended
	return Finding{
		Kind: Undeclared, Scope: scope, Level: &level, File: f.Manifest.File,
		Line: f.lineOf(lacking), Evidence: evidenceOf(lacking), Message: text.Line(message),
	}
}

// otherWays are the scopes that would do in place of this one for every one of the requirements.
func otherWays(scope string, lacking []*requirement) []string {
	var ways []string
	for i, r := range lacking {
		var here []string
		for _, all := range r.AnyOf {
			if len(all) == 1 && all[0] != scope {
				here = append(here, all[0])
			}
		}
		if i == 0 {
			ways = here
		}
		ways = slices.DeleteFunc(ways, func(way string) bool { return !slices.Contains(here, way) })
	}
	return ways[:min(len(ways), text.MaxNear)]
}

// declaredBy are the programs whose needs do not count here, and that declare the scope.
func (f *facts) declaredBy(scope string) []string {
	var names []string
	for _, p := range f.Manifest.Programs {
		if slices.ContainsFunc(p.Scopes, func(n scopes.Need) bool { return slices.Equal(n.AnyOf, []string{scope}) }) && !slices.Contains(f.Programs, p.Name) {
			names = append(names, p.Name)
		}
	}
	return names
}

// lineOf is where the manifest names one of the operations, else its first line.
func (f *facts) lineOf(requirements []*requirement) int {
	for _, r := range requirements {
		for _, by := range f.naming[r.Operation.Unplaced()] {
			return by.line
		}
	}
	return 1
}
