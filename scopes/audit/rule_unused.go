package audit

import "fmt"

var unusedRule = Rule{
	Kind:    Unused,
	Summary: "No evidence needs a declared scope.",
	Help:    "Remove it (ambit audit --prune), or give evidence of what needs it, or waive the finding with a reason.",
	find:    findUnused,
}

// findUnused finds the needs that nothing in use requires.
func findUnused(f *facts) []Finding {
	var found []Finding
	for i := range f.needs {
		if n := &f.needs[i]; n.standing == standingUnused {
			one := n.about(Unused, n.says(), fmt.Sprintf("%s is declared, but no evidence needs it", n.Name()))
			one.fix = f.replaceBy(n, nil)
			found = append(found, one)
		}
	}
	return found
}
