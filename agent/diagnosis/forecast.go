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
	c = c.ofNoRequest()
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
		for _, e := range lacking {
			d.v.prove("%s is not in the grant, %s", e.Name(), c.knownBy())
		}
		return d.v, false
	}
	return d.v, !d.pastExpiry()
}

// ofNoRequest is the case without a request.
func (c Case) ofNoRequest() Case {
	c.Method, c.Base, c.Path, c.Tool, c.Response = "", "", "", "", Response{}
	return c
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
		d.v.prove("%s was in the grant, and is not any more, %s", e.Name(), c.knownBy())
	}
	return d.v, true
}

// Bypassed is the verdict on a child that ended without a single request through the
// proxy, where something that a scan found sends it elsewhere. ok is false where
// nothing does: then there is nothing to tell.
func Bypassed(c Case) (v Verdict, ok bool) {
	culprits := profile.Overriding(c.Conflicts)
	if len(culprits) == 0 {
		return Verdict{}, false
	}
	c = c.ofNoRequest()
	d := newDiagnosis(&c)
	first := culprits[0]
	d.v.is(CauseCredentialConflict, ConfidenceLikely, "no request came through ambit; %s in %s sends them elsewhere", strings.Join(first.Keys, ", "), first.Path)
	d.v.prove("the program ended without a request to the proxy")
	d.blame(func(conflict profile.Conflict) bool { return conflict.Overrides })
	return d.v, true
}
