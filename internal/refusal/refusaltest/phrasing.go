package refusaltest

import (
	_ "embed" // the phrasings
	"encoding/json"
	"testing"
)

// phrasings are refusals of many more services than those of [Reals], most from memory: not each
// word is what the service sends, but each is what a service would say.
//
//go:embed phrasings.json
var phrasings []byte

// What a phrasing says.
const (
	SaysScopes  = "scopes"         // which scopes are missing, or required
	SaysScope   = "a scope"        // that one is missing, and not which
	SaysOther   = "another reason" // an end, a role, a plan, a policy, a limit …
	SaysDenied  = "denied"         // that access is denied
	SaysNothing = "nothing"        // no more than its status
)

// A Phrasing is a way in which a service refuses.
type Phrasing struct {
	Real
	Says   string
	Scopes []string // that it names
}

// Phrasings are the ways in which services refuse.
func Phrasings(t testing.TB) []Phrasing {
	t.Helper()
	var list []Phrasing
	if err := json.Unmarshal(phrasings, &list); err != nil {
		t.Fatal(err)
	}
	return list
}
