package diagnosis

import (
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// Forecast tells what will be refused before anything was called: what a required need
// lacks, from the grant alone. Of c it reads what is known of the credential, the needs
// and the conflicts. ok is true where nothing stands in the way; then there is no verdict.
func Forecast(c Case) (v Verdict, ok bool) {
	c.Method, c.Base, c.Path, c.Response, c.Inquiry = "", "", "", Response{}, nil
	d := newDiagnosis(&c)
	required := c.needsWhere(func(e *scopes.Need) bool { return e.Level == scopes.Required })
	if c.Base = neverServed(c.Kind, required); c.Base != "" {
		d.v.Base = c.Base
		return d.v, !d.neverServes()
	}
	if lacking := c.Unmet(required); len(lacking) > 0 {
		sure := ConfidenceProved
		if !c.grantIsKnown() {
			sure = ConfidenceLikely
		}
		d.v.lack(&c, sure, lacking, nil)
		d.notGranted("", lacking)
		return d.v, false
	}
	return d.v, !d.pastExpiry()
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
	d := newDiagnosis(&c)
	sure := ConfidenceProved
	if !c.grantIsKnown() {
		sure = ConfidenceLikely
	}
	d.v.lack(&c, sure, gone, nil)
	for _, e := range gone {
		if was.grantIsKnown() && c.grantIsKnown() {
			d.v.prove("the grant no longer includes %s, %s", e.Name(), c.knownBy())
		} else {
			d.v.prove("%s", was.holding(e.Name()))
			d.notGranted("", []scopes.Need{e})
		}
	}
	return d.v, true
}

// Bypassed is the verdict on a child that ended without a single request through the
// proxy, where something that a scan found sends it elsewhere. ok is false where
// nothing does: then there is nothing to tell.
func Bypassed(c Case) (v Verdict, ok bool) {
	at := slices.IndexFunc(c.Conflicts, func(c profile.Conflict) bool { return c.Effect == profile.EffectRoutes && !c.Overridden })
	if at < 0 {
		return Verdict{}, false
	}
	c.Method, c.Base, c.Path, c.Response = "", "", "", Response{}
	d := newDiagnosis(&c)
	first := c.Conflicts[at]
	d.v.is(CauseCredentialConflict, ConfidenceLikely, "no request came through ambit; %s in %s sends them elsewhere", strings.Join(first.Keys, ", "), first.Path)
	d.v.prove("the program ended without a request to the proxy")
	d.blame(profile.EffectRoutes)
	return d.v, true
}
