package diagnosis

import (
	"net/http"
	"slices"

	"github.com/ambit-auth/ambit/internal/refusal"
	"github.com/ambit-auth/ambit/scopes"
)

// scopeNamed: the answer says which scope is missing, or which the resource takes. What the
// grant has is not missing, whoever names it.
func (d *diagnoser) scopeNamed() bool {
	if d.rejects() || d.resp.GivesCodedReason() {
		return false
	}
	if lacking := d.uncovered(d.resp.Needs); len(lacking) > 0 {
		sure := ConfidenceLikely
		if d.surelyLacks() && d.resp.IsStraight() && !d.unsaid(lacking) {
			sure = ConfidenceProved
		}
		return d.lackGroups(sure, lacking)
	}
	if d.resp.LacksScope() {
		return d.unnamed()
	}
	lacking := d.uncovered(d.resp.Mentioned)
	if len(lacking) == 0 || d.resp.Reason() == refusal.ReasonOwn || !d.mentionTells() {
		return false
	}
	return d.lackGroups(ConfidenceLikely, lacking)
}

// unsaid reports whether one of the scopes may be held, though no response would name it.
func (d *diagnoser) unsaid(groups []refusal.Group) bool {
	return slices.ContainsFunc(groups, func(group refusal.Group) bool { return slices.ContainsFunc(group, d.c.Grant.Unsaid.Has) })
}

// mentionTells reports whether a scope that is only mentioned may be the one that is missing. A
// challenge can name what the resource wants whatever came (RFC 6750 §3): a 401 that does so
// says nothing of a credential of which nobody knows what it holds.
func (d *diagnoser) mentionTells() bool {
	return d.c.anyoneSaid() || d.c.Response.Status != http.StatusUnauthorized
}

// lackGroups sets the cause to scopes that the response names. One that may not be needed, for
// another of its list is held, is named only where no other explains the refusal, and is likely.
func (d *diagnoser) lackGroups(sure Confidence, lacking []refusal.Group) bool {
	held := func(group refusal.Group) bool { _, met := d.metBy(group); return met }
	certain := slices.DeleteFunc(slices.Clone(lacking), func(group refusal.Group) bool { return d.resp.InDoubt(group, held) })
	if len(certain) > 0 {
		lacking = certain
	} else {
		sure = ConfidenceLikely
	}
	needs, other := d.needsFor(lacking)
	d.v.lack(d.c, sure, needs, other)
	return true
}

// unnamed: the answer says that a scope is missing, and not which, or names what is granted.
// The manifest may know.
func (d *diagnoser) unnamed() bool {
	if needs := d.c.Unmet(d.c.Declared()); len(needs) > 0 {
		sure := ConfidenceLikely
		if d.surelyLacks() && len(d.resp.Needs) == 0 && d.deniesByStatus() && !d.resp.SpeaksOfRoles() && !d.resp.NamesUnknown() && d.resp.IsStraight() && len(d.resp.Mentioned) == 0 {
			sure = ConfidenceProved
		}
		d.v.lack(d.c, sure, needs, nil)
		d.notGranted("", needs)
		return true
	}
	if !d.resp.Refuses() && d.c.Response.Status >= http.StatusMultipleChoices { // a request can be wrong for a parameter of that name
		return false
	}
	named := d.met(d.resp.Needs)
	if len(named) > 0 && (d.c.saidHere() || !d.c.anyoneSaid()) {
		d.v.prove("%s", d.c.holding(listed(named)+", which the response names"))
		return false
	}
	if len(named) > 0 {
		d.v.prove("%s", d.c.heldBefore(listed(named)))
		return d.lackGroups(ConfidenceLikely, d.resp.Needs)
	}
	d.v.lack(d.c, ConfidenceUnknown, nil, nil)
	if !d.c.anyoneSaid() && len(d.c.Declared()) > 0 {
		d.v.Possible = []string{namesOf(d.c.Declared()) + ", which the manifest declares for this operation; no server said what the credential holds"}
	}
	return true
}

// surelyLacks is [Case.surelyLacks], also where the response itself says what is held; of a credential
// without scopes nobody can say that it lacks one.
func (d *diagnoser) surelyLacks() bool {
	return !d.c.Kind.Permissions && (d.resp.Counts || d.c.surelyLacks())
}

// rejects reports whether the server says that it does not take the credential as such.
func (d *diagnoser) rejects() bool { return d.resp.Rejects() && !d.c.knownHere() }

// deniesByStatus reports whether the status is one that denies access (RFC 9110 §15.5.2,
// §15.5.4).
func (d *diagnoser) deniesByStatus() bool {
	return slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden}, d.c.Response.Status)
}

// notGranted adds to the evidence that needs are not met; before stands before each.
func (d *diagnoser) notGranted(before string, needs []scopes.Need) {
	for _, e := range needs {
		d.v.prove("%s%s", before, d.c.without(e.Name()))
	}
}

// uncovered are those groups of which nothing is held.
func (d *diagnoser) uncovered(groups []refusal.Group) []refusal.Group {
	return slices.DeleteFunc(slices.Clone(groups), func(group refusal.Group) bool {
		_, met := d.metBy(group)
		return met
	})
}

// met are the scopes by which groups are met.
func (d *diagnoser) met(groups []refusal.Group) []string {
	var list []string
	for _, group := range groups {
		if scope, met := d.metBy(group); met {
			list = append(list, scope)
		}
	}
	return list
}

// metBy is the scope of a group that the grant covers, or of which the server says that the
// credential holds it.
func (d *diagnoser) metBy(group refusal.Group) (scope string, met bool) {
	need := scopes.Need{AnyOf: group}
	held := d.c.Grant.Scopes.Union(scopes.NewSet(d.resp.Held...))
	scope, _, met = need.MetBy(held, d.c.Provider.Implies)
	return scope, met
}

// needsFor are the declared needs that the named scopes are for, by whatever names, each once, and the names of
// groups of which nobody declared a scope. Of several that are enough, those that are declared
// count.
func (d *diagnoser) needsFor(groups []refusal.Group) (needs []scopes.Need, other []string) {
	for _, group := range groups {
		named := scopes.NewSet(group...)
		found := d.c.needsWhere(func(e *scopes.Need) bool {
			return slices.ContainsFunc(e.AnyOf, func(scope string) bool { _, is := d.c.Provider.Implies.Among(named, scope); return is })
		})
		declared := namesOf(found)
		unmet := slices.DeleteFunc(slices.Clone(found), func(e scopes.Need) bool {
			_, _, met := e.MetBy(d.c.Grant.Scopes, d.c.Provider.Implies)
			return d.c.anyoneSaid() && met
		})
		if _, met := d.metBy(group); len(unmet) > 0 || !met { // else the server denies what was taken for held
			found = unmet
		}
		switch len(found) {
		case 0:
			name := scopes.Need{AnyOf: group}.Name()
			other = append(other, name)
			if declared == "" {
				d.v.prove("the response names %s, which the manifest does not declare", name)
			} else {
				d.v.prove("the response names %s; the manifest declares %s, of which another is held", name, declared)
			}
			continue
		case 1:
		default:
			found = []scopes.Need{oneOf(found)}
		}
		if !slices.ContainsFunc(needs, func(e scopes.Need) bool { return e.Key() == found[0].Key() }) {
			needs = append(needs, found[0])
		}
	}
	return needs, other
}

// oneOf is the need for any one of what the needs name.
func oneOf(needs []scopes.Need) scopes.Need {
	one := needs[0]
	one.AnyOf, one.UsedBy = slices.Clone(one.AnyOf), slices.Clone(one.UsedBy)
	for _, e := range needs[1:] {
		one.AnyOf = scopes.NewSet(append(one.AnyOf, e.AnyOf...)...).Slice()
		one.UsedBy = append(one.UsedBy, e.UsedBy...)
		one.Level = max(one.Level, e.Level)
	}
	return one
}

// scopeDeclared: what the manifest declares for this operation is not in the grant. That
// is proved where the response gives no reason, and likely where it only says that access
// is denied, or where the service says the same of a role. A tool that the server calls unknown is hidden: what is not in the list for this grant
// is unknown to it.
func (d *diagnoser) scopeDeclared() bool {
	declared := d.c.Declared()
	lacking := d.c.Unmet(declared)
	sure, hidden := ConfidenceLikely, d.resp.UnknownTool(d.c.Tool)
	if d.resp.Reason() == refusal.ReasonNone && d.lackExplains() || hidden && d.c.saidHere() {
		sure = ConfidenceProved
	}
	if len(declared) == 0 { // an operation that nobody declared, where nothing that is declared would work
		lacking, sure = d.c.Unmet(d.c.onBase()), ConfidenceLikely
		if len(lacking) < len(d.c.onBase()) {
			return false
		}
	}
	if len(lacking) == 0 {
		return false
	}
	if !hidden && (d.rejects() || d.resp.Reason() == refusal.ReasonOwn || !d.refuses() && !d.resp.Denies()) {
		d.notGranted("besides, ", lacking)
		return false
	}
	if d.c.Response.Status == http.StatusUnauthorized && !d.c.knownHere() && !d.c.surelyLacks() {
		return false // no scope is named before somebody said that the credential is good: see possible
	}
	d.v.lack(d.c, sure, lacking, nil)
	d.notGranted("", lacking)
	return true
}
