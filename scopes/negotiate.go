package scopes

import "fmt"

// A Negotiation is all that [Negotiate] weighs.
type Negotiation struct {
	Needs     []Need // of [manifest.Manifest.Select]
	Implies   Implications
	Server    Advertisement
	Resources []Resource // only those that the manifest names
	Refused   Set        // what the server answered invalid_scope to (RFC 6749 §4.1.2.1)
	Dropped   Set        // what is not required, and stood in a request that it refused without naming a scope
}

// Negotiate decides for each need whether to ask for it, and for which of its
// alternatives. It looks at nothing but q.
//
// A scope is withheld where a list is given that lacks it, unless the manifest
// says that it is granted all the same, or somebody adds it by name. A resource's list limits only the needs
// that have an operation on that base, and only where the server's own list does not
// have the scope: many resources list the least with which they work. What an asked scope implies is not asked
// again, nor is it withheld: it comes with the other.
func Negotiate(q Negotiation) Plan {
	n := negotiator{Negotiation: q, items: make([]Item, len(q.Needs)), asked: newAsked(q.Server.Scopes), back: make([]bool, len(q.Needs))}
	n.Implies = q.Implies.among(q.Needs)
	for i := range q.Needs {
		item, scopes := &n.items[i], q.Needs[i].AnyOf
		item.Need = &q.Needs[i]
		if len(scopes) == 1 {
			n.ask(i, n.weigh(item, scopes[0]))
		}
	}
	for i := range n.items { // after all others: one of them may cover an alternative
		if item := &n.items[i]; len(item.Need.AnyOf) != 1 {
			n.ask(i, n.alternatives(item))
		}
	}
	n.settleImplied(n.takeBackCovered())
	return n.plan()
}

type negotiator struct {
	Negotiation
	items []Item
	asked asked
	back  []bool // by item: what it asks for was taken back, as something else covers it
}

// ask notes that an item asks for its scope, which has a place in the server's list, or -1.
func (n *negotiator) ask(item, place int) {
	switch scope := n.items[item].Asked; {
	case scope == "":
	case place >= 0:
		n.asked.byPlace[place] = int32(item) + 1
	default:
		n.asked.others[scope] = item
	}
}

func (n *negotiator) asks(scope string) bool {
	at := itemOf(&n.asked, scope)
	return at >= 0 && !n.back[at]
}

// alternatives decides on an any_of: covered anyway, else the first not withheld. It returns
// what [negotiator.weigh] does.
func (n *negotiator) alternatives(item *Item) (place int) {
	if scope, by, covered := n.covered(item.Need); covered {
		item.Advertised, item.Decision, item.Reason = n.Server.Says(scope), DecisionImplied, coveredReason(by, scope)
		return -1
	}
	for _, scope := range item.Need.AnyOf {
		if place = n.weigh(item, scope); item.Decision != DecisionWithhold {
			return place
		}
	}
	item.Reason = "none of them can be requested; the last: " + item.Reason
	return place
}

// covered reports whether one of the need's scopes is asked for, or something that
// implies it.
func (n *negotiator) covered(e *Need) (scope, by string, ok bool) {
	for _, scope := range e.AnyOf {
		if n.asks(scope) {
			return scope, scope, true
		}
	}
	for _, scope := range e.AnyOf {
		if at := n.impliedBy(scope); at >= 0 {
			return scope, n.items[at].Asked, true
		}
	}
	return "", "", false
}

// impliedBy returns the item that asks for the nearest scope that implies this one; -1 where
// none does.
func (n *negotiator) impliedBy(scope string) int {
	at, more := n.Implies.nearest(scope, &n.asked)
	if at >= 0 && !n.back[at] || !more {
		return at
	}
	for by := range n.Implies.Covering(scope) {
		if n.asks(by) {
			return itemOf(&n.asked, by)
		}
	}
	return -1
}

func coveredReason(by, scope string) string {
	if by == scope {
		return scope + " is requested anyway"
	}
	return "implied by " + by
}

// takeBackCovered takes out of the request what something else in it covers, and returns the
// item that asks for that, for each item; -1 for those that nothing covers.
func (n *negotiator) takeBackCovered() []int {
	by := make([]int, len(n.items))
	for i := range n.items {
		by[i] = -1
		if scope := n.items[i].Asked; scope != "" {
			by[i] = n.impliedBy(scope)
		}
	}
	for i, at := range by {
		n.back[i] = at >= 0
	}
	return by
}

// settleImplied names for each need that is not asked for what covers it, among
// what is still asked for; by is what was asked for at first. Where exceptions
// leave nothing that covers a scope that was taken back, it is asked for after all.
func (n *negotiator) settleImplied(by []int) {
	for i, first := range by {
		if item := &n.items[i]; first >= 0 {
			n.settle(item, i, first)
		}
	}
	for i := range n.items {
		if item := &n.items[i]; item.Asked == "" && by[i] < 0 {
			if scope, by, ok := n.covered(item.Need); ok {
				item.Decision, item.Reason = DecisionImplied, coveredReason(by, scope)
			}
		}
	}
}

func (n *negotiator) settle(item *Item, at, by int) {
	if n.back[by] {
		if by = n.impliedBy(item.Asked); by < 0 {
			n.back[at] = false
			return
		}
	}
	item.Decision, item.Reason, item.Asked = DecisionImplied, coveredReason(n.items[by].Asked, item.Asked), ""
}

// weigh decides on one scope of the item's need by itself. It returns the scope's place in the
// server's list, -1 for none.
func (n *negotiator) weigh(item *Item, scope string) (place int) {
	place = placeOf(n.Server.Scopes, scope)
	item.Advertised = n.Server.saysAt(place)
	item.Decision, item.Asked, item.Unlisted = DecisionWithhold, "", ""
	against := n.limit(item.Need, scope)
	switch {
	case n.Refused.Has(scope):
		item.Reason = "the server refused it (invalid_scope)"
	case n.Dropped.Has(scope):
		item.Reason = "the server refused a request with it (invalid_scope), and did not say which scope it refuses"
	case item.Need.Added && item.Advertised == AdvertisedNo:
		item.Decision, item.Asked = DecisionRequestUnadvertised, scope
		item.Reason = "not advertised; requested anyway"
	case item.Need.Added:
		item.Decision, item.Asked = DecisionRequest, scope
		item.Reason = "requested, whatever the server advertises"
	case !item.Need.Unadvertised && n.Server.Set.Len() > 0 && !n.holds(n.Server.Set, scope):
		item.Reason = "it is not among the scopes that are set for the client at the server"
	case !item.Need.Unadvertised && n.Server.Except.Has(scope):
		item.Reason = "the server lists it, and does not grant it to ordinary people"
	case item.Need.Unadvertised && item.Advertised == AdvertisedNo:
		item.Decision, item.Asked = DecisionRequestUnadvertised, scope
		item.Reason = "not advertised; requested anyway (advertised: false)"
	case item.Need.Unadvertised:
		item.Decision, item.Asked = DecisionRequest, scope
		item.Reason = "requested, whatever the server advertises"
	case against != "":
		item.Reason = against
	case item.Advertised == AdvertisedNo:
		item.Reason = "not in the server's scopes_supported"
	case item.Advertised == AdvertisedUnknown:
		item.Decision, item.Asked = DecisionRequest, scope
		item.Reason = "the server does not say which scopes it knows"
		if n.Server.State == Listed {
			item.Reason = "the server's list does not speak of it"
		}
	default:
		item.Decision, item.Asked = DecisionRequest, scope
		item.Reason = "advertised"
		if item.Unlisted = n.unlisted(item.Need, scope); item.Unlisted != "" {
			item.Reason += fmt.Sprintf("; the resource %s does not list it", item.Unlisted)
		}
	}
	if item.Asked != "" && item.Need.Level == Required && n.Server.Optional.Has(scope) {
		item.Reason += "; the person may leave it out, as it is set at the server"
	}
	return place
}

// holds reports whether a set has a scope, or one that implies it.
func (n *negotiator) holds(set Set, scope string) bool {
	_, ok := n.Implies.CoveredBy(set, scope)
	return set.Has(scope) || ok
}

// limit returns why a resource stands against asking for scope; "" where none does. A list that is only a part
// says nothing of what it lacks.
func (n *negotiator) limit(e *Need, scope string) string {
	says := n.Server.Says(scope)
	if says == AdvertisedYes {
		return ""
	}
	for _, r := range n.Resources {
		if !e.uses(r.Base) {
			continue
		}
		switch lists := r.Advertises.Says(scope); {
		case lists == AdvertisedYes && r.Advertises.Except.Has(scope):
			return fmt.Sprintf("the resource %s lists it, and it is not granted to ordinary people", r.Base)
		case lists == AdvertisedYes && says == AdvertisedNo:
			return fmt.Sprintf("the resource %s knows it, the authorization server does not", r.Base)
		case lists == AdvertisedNo:
			return fmt.Sprintf("the resource %s does not know it", r.Base)
		}
	}
	return ""
}

// unlisted returns the base of a need whose resource has a list without the scope; "" for none.
func (n *negotiator) unlisted(e *Need, scope string) (base string) {
	for _, r := range n.Resources {
		if e.uses(r.Base) && r.Advertises.Says(scope) == AdvertisedNo {
			return r.Base
		}
	}
	return ""
}

func (n *negotiator) plan() Plan {
	p := Plan{Resources: append([]Resource{}, n.Resources...), Scopes: n.items, Withheld: []string{}, Blocked: []string{}}
	request := make([]string, 0, len(n.items))
	for i := range n.items {
		item := &n.items[i]
		switch {
		case item.Asked != "":
			request = append(request, item.Asked)
		case item.Decision == DecisionWithhold:
			p.Withheld = append(p.Withheld, item.Need.Name())
			if item.Need.Level == Required {
				p.Blocked = append(p.Blocked, item.Need.Name())
			}
		}
	}
	p.Request = NewSet(request...)
	return p
}
