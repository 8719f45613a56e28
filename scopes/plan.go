package scopes

// An Advertisement is what a server's metadata says of the scopes that it knows
// (scopes_supported, RFC 8414 §2). The zero value is a server that does not say.
type Advertisement struct {
	State  AdvertisementState
	Scopes Set // only where State is Listed

	Partial bool  // there are scopes that the list leaves out: it says nothing of what it lacks
	Except  Forms // scopes in the list that ordinary people are not granted
	Known   Set   // scopes that exist, whether in the list or not; none: nobody says which

	Set      Set // that are set for this client at the server; none: nobody says which
	Optional Set // those of Set that a person may leave out
}

// AdvertisementState is how scopes_supported stands in a document.
type AdvertisementState string

// The three readings of scopes_supported.
const (
	Absent AdvertisementState = "absent" // not there: the server does not say (the zero value means this too)
	Empty  AdvertisementState = "empty"  // there and empty, against RFC 8414 §3.2: read as absent
	Listed AdvertisementState = "list"
)

// Says is what the advertisement says of one scope.
func (a Advertisement) Says(scope string) Advertised { return a.saysAt(placeOf(a.Scopes, scope)) }

// saysAt is [Advertisement.Says] for the place of a scope in the list, -1 for none.
func (a Advertisement) saysAt(place int) Advertised {
	switch {
	case a.State != Listed:
		return AdvertisedUnknown
	case place >= 0:
		return AdvertisedYes
	case a.Partial:
		return AdvertisedUnknown
	default:
		return AdvertisedNo
	}
}

// Advertised is what a server's metadata tells of one scope.
type Advertised string

// What metadata can tell of a scope.
const (
	AdvertisedYes     Advertised = "yes"
	AdvertisedNo      Advertised = "no"
	AdvertisedUnknown Advertised = "unknown"
)

// A Decision is what becomes of a declared scope when the authorization is asked for.
type Decision string

// The decisions of a negotiation.
const (
	DecisionRequest             Decision = "request"
	DecisionRequestUnadvertised Decision = "request_unadvertised" // asked, as the manifest says that it is granted all the same
	DecisionImplied             Decision = "implied"              // another asked scope covers it
	DecisionWithhold            Decision = "withhold"             // the server would not know it
)

// A Plan is what will be requested of an authorization server, what not, and why.
type Plan struct {
	Resources []Resource // as the negotiation had them
	Scopes    []Item     // one a declared need, in the manifest's order
	Request   Set        // the scope parameter (RFC 6749 §3.3), in the manifest's order
	Withheld  []string   // names of needs, as [Need.Name]; never nil
	Blocked   []string   // those of Withheld that are required; never nil
}

// A Resource is what a protected resource says of its scopes (RFC 9728 §2).
type Resource struct {
	Base       string
	URL        string
	ID         string // as its document names it; else URL
	Advertises Advertisement
}

// An Item is what becomes of one declared need.
type Item struct {
	Need       *Need // the negotiation's own: read-only, never nil
	Advertised Advertised
	Decision   Decision
	Asked      string // the scope that goes into the request; "" where none does
	Unlisted   string // the base whose resource has a list without what is asked for; "" for none
	Reason     string // one sentence for people; never empty
}
