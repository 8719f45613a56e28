package audit

import "slices"

// FindBackwards runs the rules on the same facts in their order, and then in the opposite order.
func FindBackwards(q Question) (forwards, backwards []Finding, err error) {
	f, err := newFacts(q)
	if err != nil {
		return nil, nil, err
	}
	rules := Rules()
	find := func() (found []Finding) {
		for _, rule := range rules {
			found = append(found, rule.find(f)...)
		}
		sortFindings(found)
		return found
	}
	forwards = find()
	slices.Reverse(rules)
	return forwards, find(), nil
}
