// Package guard is how this program speaks HTTP: bounds on time and size, redirects that
// lead nowhere new, TLS by the system's or a user's certificates, URLs that may be asked at
// all, and one [Error] that says what went wrong between a request and a usable response.
//
// [NewClient] and [ClientOn] make every HTTP client of this program. A [Requester] sends a
// request, waits out one short 429, and reads the [Response]; [Response.Object] reads the
// one JSON [Object] in it, in every form in which servers send one.
package guard
