// Package refusal reads what a server says when it refuses a request: the status, the
// challenge of RFC 6750, headers and members whose name speaks of scopes, the sentences for
// people, and the wordings that a provider's file knows. It is the one reader for requests that
// pass through the proxy and for those of a recording.
//
// A word is a scope where a [Vocabulary] knows it, or where the place leaves no doubt; what a
// sentence says of it (missing, any one is enough, held) shows in the words around it. It says
// what the server said, and judges nothing: whether a scope that is named is missing, and
// whether one that is missing is the cause, is the diagnosis's matter.
package refusal
