// Package guard is how this program speaks HTTP: bounds on time and size, redirects that
// lead nowhere new, TLS by the system's or a user's certificates, URLs that may be asked at
// all, and one [Error] that says what went wrong between a request and a usable response.
package guard
