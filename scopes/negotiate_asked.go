package scopes

// asked are the scopes that go into a request, with the item that asks for each. One that the
// server lists is found by its place there: that needs no second index of thousands of scopes.
type asked struct {
	listed  Set
	byPlace []int32        // in listed: the item's place, counted from 1; 0 for none
	others  map[string]int // that are not in listed
}

func newAsked(listed Set) asked {
	return asked{listed: listed, byPlace: make([]int32, listed.Len()), others: make(map[string]int)}
}

// itemOf is the item that asks for a scope; -1 where none does.
func itemOf[T string | []byte](a *asked, scope T) int {
	if at := placeOf(a.listed, scope); at >= 0 {
		return int(a.byPlace[at]) - 1
	}
	if item, there := a.others[string(scope)]; there {
		return item
	}
	return -1
}
