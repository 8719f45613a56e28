package credential

import "time"

// A Renewal is what the attempts to renew a credential came to since it was obtained. It is
// stored with it, so that every process knows what one of them was told. The zero value: no
// attempt failed.
type Renewal struct {
	// LostAt is when a refresh token was sent to which no response came that can be used; zero: never. The server
	// may have exchanged it, and end the session when it sees it again.
	LostAt time.Time
	// RejectedAt is when the server did not know the access token any more, though it should live; zero: never.
	RejectedAt time.Time
	// Failed is how the last attempt failed; nil where none has.
	Failed *RenewalFailure
}

// A RenewalFailure is why a renewal failed: what is needed to tell it again later, in another
// process.
type RenewalFailure struct {
	At     time.Time
	Until  time.Time // when the server may be asked again; zero: at any time
	Final  bool      // the server refused, and will refuse again
	Kind   string    // of trouble on the way; "" for an error response
	Host   string
	Status int
	Code   string // error of the response; "" where there was none
	Words  string // error_description, or what was wrong in our words
}
