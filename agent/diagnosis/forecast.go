package diagnosis

import (
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// Forecast tells what will be refused before anything was called: what required needs lack, then
// what recommended ones do, from the grant alone. Of c it reads what is known of the credential,
// the needs and the conflicts. Where nothing stands in the way there is no verdict.
func Forecast(c Case) []Verdict {
	c.Inquiry = nil
	d := newDiagnosis(c.beforeCalls())
	required := c.needsOf(scopes.Required)
	if d.c.Base = neverServed(c.Kind, required); d.c.Base != "" && d.neverServes() {
		d.v.Base = d.c.Base
		return []Verdict{d.v}
	}
	var list []Verdict
	for _, needs := range [][]scopes.Need{required, c.needsOf(scopes.Recommended)} {
		if lacking := c.Unmet(needs); len(lacking) > 0 {
			v := c.beforeCalls().lacking(lacking)
			for _, e := range lacking {
				v.prove("%s", c.without(e.Name()))
			}
			list = append(list, v)
		}
	}
	if expired := newDiagnosis(c.beforeCalls()); len(list) == 0 && expired.pastExpiry() {
		list = append(list, expired.v)
	}
	return list
}

// Unfit is the verdict on a credential of a kind that can never serve a base, or, where base is "",
// of which nobody can say what it holds.
func Unfit(c Case, base string) Verdict {
	d := newDiagnosis(c.beforeCalls())
	if d.c.Base, d.v.Base = base, base; base != "" && d.neverServes() {
		return d.v
	}
	d.v.is(CauseWrongCredentialKind, ConfidenceLikely, "%s: nobody can say what it holds", c.credential())
	d.v.advise(d.c.situation(advice.WrongKind))
	return d.v
}

// lacking is the verdict on needs that are not met, as far as is known without a call.
func (c *Case) lacking(needs []scopes.Need) Verdict {
	d := newDiagnosis(c)
	sure := ConfidenceProved
	if !c.grantIsKnown() {
		sure = ConfidenceLikely
	}
	d.v.lack(c, sure, needs, nil)
	if d.v.Level == scopes.Recommended {
		d.v.Message = strings.Replace(d.v.Message, "missing scope:", "missing scope, recommended:", 1)
	}
	return d.v
}

func (c *Case) needsOf(level scopes.Level) []scopes.Need {
	return c.needsWhere(func(e *scopes.Need) bool { return e.Level == level })
}

// neverServed is the first base of the needs that a kind of credential can never
// serve; "" where there is none.
func neverServed(kind provider.CredentialKind, needs []scopes.Need) string {
	for _, e := range needs {
		for _, u := range e.UsedBy {
			if u.Base != "" && !kind.Serves(u.Base) {
				return u.Base
			}
		}
	}
	return ""
}

// Lost is the verdict on needs that a grant met before and does not meet any more; ok
// is false where there are none.
func Lost(c Case, before scopes.Grant) (v Verdict, ok bool) {
	was := c
	was.Grant = before
	now, had := c.Unmet(c.Needs), was.Unmet(c.Needs)
	gone := slices.DeleteFunc(now, func(e scopes.Need) bool {
		return slices.ContainsFunc(had, func(h scopes.Need) bool { return slices.Equal(h.AnyOf, e.AnyOf) })
	})
	if len(gone) == 0 || !was.anyoneSaid() { // of what nobody knew, nothing is lost
		return Verdict{}, false
	}
	v = c.lacking(gone)
	for _, e := range gone {
		if was.grantIsKnown() && c.grantIsKnown() {
			v.prove("the grant no longer includes %s, %s", e.Name(), c.knownBy())
		} else {
			v.prove("%s", was.holding(e.Name()))
			v.prove("%s", c.without(e.Name()))
		}
	}
	return v, true
}
