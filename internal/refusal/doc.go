// Package refusal reads what a server says when it refuses a request: the status, the
// challenge of RFC 6750, the members of a JSON body in the shapes that are common, and
// the wordings that a provider's file knows. It is the one reader for requests that pass
// through the proxy and for those of a recording.
//
// It says what the server said, and judges nothing: whether a scope that is named is
// missing, and whether one that is missing is the cause, is the diagnosis's matter.
package refusal
