package diagnosis

import "github.com/ambit-auth/ambit/scopes"

// A Catalogue is what a server's list of tools has and lacks of those that the manifest declares.
type Catalogue struct{ Listed, Absent []string }

// Unlisted is the verdict on tools that a server leaves out of its list: declared ones that are
// not there, of which the grant does not hold what they need; ok is false where there are none.
// That is proved where the credential's server said just now what it holds, unless the list has
// a tool whose scopes are missing as well: then it is not by scopes that the server chooses.
// unexplained are tools that are absent for a reason that nobody knows.
func Unlisted(c Case, tools Catalogue) (v Verdict, ok bool, unexplained []string) {
	var lacking []scopes.Need
	hidden := make(map[string][]string) // tools by the need that lacks
	for _, tool := range tools.Absent {
		needs := c.unmetFor(tool)
		if len(needs) == 0 {
			unexplained = append(unexplained, tool)
		}
		for _, need := range needs {
			if hidden[need.Key()] == nil {
				lacking = append(lacking, need)
			}
			hidden[need.Key()] = append(hidden[need.Key()], tool)
		}
	}
	if len(lacking) == 0 {
		return Verdict{}, false, unexplained
	}
	sure := ConfidenceLikely
	if c.saidHere() && !c.listsInSpite(tools) {
		sure = ConfidenceProved
	}
	d := newDiagnosis(&c)
	d.v.lack(&c, sure, lacking, nil)
	for _, need := range lacking {
		d.v.prove("not in the server's list of tools: %s", listed(hidden[need.Key()]))
		d.notGranted("", []scopes.Need{need})
	}
	return d.v, true, unexplained
}

func (c *Case) unmetFor(tool string) []scopes.Need {
	return c.Unmet(c.declaredFor(scopes.Operation{Tool: tool}))
}

// listsInSpite reports whether the list has a tool that the grant does not meet.
func (c *Case) listsInSpite(tools Catalogue) bool {
	for _, tool := range tools.Listed {
		if len(c.unmetFor(tool)) > 0 {
			return true
		}
	}
	return false
}
