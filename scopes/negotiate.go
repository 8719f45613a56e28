package scopes

import "fmt"

// A Question is all that [Negotiate] weighs.
type Question struct {
	Needs     []Entry // of [Manifest.Select]
	Implies   Implications
	Server    Advertisement
	Resources []Resource // only those that the manifest names
	Refused   Set        // what the server answered invalid_scope to (RFC 6749 §4.1.2.1)
}

// Negotiate decides for each need whether to ask for it, and for which of its
// alternatives. It fills the plan's Scopes, Request, Withheld and Blocked; the
// rest is the caller's to say. It looks at nothing but q.
//
// A scope is withheld where a list is given that lacks it, unless the manifest
// says that it is granted all the same. A resource's list limits only the needs
// that have an operation on that base. What an asked scope implies is not asked again.
func Negotiate(q Question) Plan {
	n := negotiation{Question: q, asked: make(map[string]bool, len(q.Needs))}
	n.items = make([]Item, len(q.Needs))
	for i := range q.Needs {
		if len(q.Needs[i].AnyOf) == 1 {
			n.items[i] = n.single(&q.Needs[i])
		}
	}
	for i := range q.Needs {
		if len(q.Needs[i].AnyOf) > 1 {
			n.items[i] = n.alternatives(&q.Needs[i])
		}
	}
	n.dropImplied()
	return n.plan()
}

type negotiation struct {
	Question
	items []Item
	asked map[string]bool
}

// single decides on a need that names one scope.
func (n *negotiation) single(e *Entry) Item {
	item := n.weigh(e, e.AnyOf[0])
	if item.Decision != Withhold {
		n.asked[item.Asked] = true
	}
	return item
}

// alternatives decides on an any_of: covered anyway, else the first not withheld.
func (n *negotiation) alternatives(e *Entry) Item {
	for _, scope := range e.AnyOf {
		if by, covered := n.coveredBy(scope); covered {
			return Item{Entry: *e, Advertised: n.Server.says(scope), Decision: Implied,
				Reason: coveredReason(by, scope)}
		}
	}
	var first Item
	for i, scope := range e.AnyOf {
		item := n.weigh(e, scope)
		if item.Decision != Withhold {
			n.asked[scope] = true
			return item
		}
		if i == 0 {
			first = item
		}
	}
	first.Reason = "none of them can be asked for: " + first.Reason
	return first
}

// coveredBy tells whether scope is asked for already, or something that implies it.
func (n *negotiation) coveredBy(scope string) (by string, ok bool) {
	if n.asked[scope] {
		return scope, true
	}
	for by := range n.Implies.Covering(scope) {
		if n.asked[by] {
			return by, true
		}
	}
	return "", false
}

func coveredReason(by, scope string) string {
	if by == scope {
		return scope + " is asked for anyway"
	}
	return by + " covers it"
}

// weigh decides on one scope by itself.
func (n *negotiation) weigh(e *Entry, scope string) Item {
	item := Item{Entry: *e, Advertised: n.Server.says(scope), Decision: Request, Asked: scope}
	withhold := func(reason string) Item {
		item.Decision, item.Asked, item.Reason = Withhold, "", reason
		return item
	}
	switch {
	case n.Refused.Has(scope):
		return withhold("the server refused it (invalid_scope)")
	case e.Unlisted && item.Advertised == AdvertisedNo:
		item.Decision, item.Reason = RequestUnlisted, "not advertised; the manifest says that it is granted all the same"
		return item
	case e.Unlisted:
		item.Reason = "asked for, whatever the server advertises"
		return item
	}
	if base, lists := n.limit(e, scope); base != "" {
		if lists {
			return withhold(fmt.Sprintf("the resource %s knows it, the authorization server does not", base))
		}
		return withhold(fmt.Sprintf("the resource %s does not know it", base))
	}
	switch item.Advertised {
	case AdvertisedNo:
		return withhold("not in the server's scopes_supported")
	case AdvertisedUnknown:
		item.Reason = "the server does not say which scopes it knows"
	default:
		item.Reason = "advertised"
	}
	return item
}

// limit returns the base whose resource stands against asking for scope, and
// whether that resource lists it (then it is the server that does not).
func (n *negotiation) limit(e *Entry, scope string) (base string, lists bool) {
	for _, r := range n.Resources {
		if r.Advertises.State != Listed || !e.uses(r.Base) {
			continue
		}
		lists := r.Advertises.Scopes.Has(scope)
		if !lists || n.Server.says(scope) == AdvertisedNo {
			return r.Base, lists
		}
	}
	return "", false
}

// dropImplied takes back what another asked scope covers.
func (n *negotiation) dropImplied() {
	for i := range n.items {
		item := &n.items[i]
		if item.Asked == "" {
			continue
		}
		for by := range n.Implies.Covering(item.Asked) {
			if n.asked[by] {
				item.Decision, item.Reason = Implied, coveredReason(by, item.Asked)
				item.Asked = ""
				break
			}
		}
	}
}

func (n *negotiation) plan() Plan {
	p := Plan{Resources: n.Resources, Scopes: n.items, Withheld: []string{}, Blocked: []string{}, Drift: []Drift{}}
	request := make([]string, 0, len(n.items))
	for i := range n.items {
		item := &n.items[i]
		switch {
		case item.Asked != "":
			request = append(request, item.Asked)
		case item.Decision == Withhold:
			p.Withheld = append(p.Withheld, item.Entry.Name())
			if item.Entry.Level == Required {
				p.Blocked = append(p.Blocked, item.Entry.Name())
			}
		}
	}
	p.Request = NewSet(request...)
	return p
}
