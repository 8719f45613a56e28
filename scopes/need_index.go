package scopes

import "slices"

// A NeedIndex finds the needs that are declared for a request. It never changes after it was
// made and is safe for concurrent use; nil has none.
type NeedIndex struct {
	needs      []Need
	operations *Operations
	owner      []int // by operation: the index of the need that names it
}

// IndexNeeds files needs by the operations that they name.
func IndexNeeds(needs []Need) *NeedIndex {
	x := &NeedIndex{needs: needs}
	var list []Operation
	for i := range needs {
		for _, op := range needs[i].UsedBy {
			list, x.owner = append(list, op), append(x.owner, i)
		}
	}
	x.operations = NewOperations(list)
	return x
}

// For returns the needs that name the operation which the request is, in the order of the
// manifest. A need for another operation whose template would fit too is none of them
// ([Operations]).
func (x *NeedIndex) For(request Operation) []Need {
	if x == nil {
		return nil
	}
	var at []int
	for _, id := range x.operations.Match(request) {
		at = append(at, x.owner[id])
	}
	slices.Sort(at)
	var found []Need
	for _, i := range slices.Compact(at) {
		found = append(found, x.needs[i])
	}
	return found
}

// Operations are those that the needs name.
func (x *NeedIndex) Operations() *Operations {
	if x == nil {
		return nil
	}
	return x.operations
}
