// Package scopes decides which OAuth scopes to ask for, and what a grant lacks. It
// is pure: it opens no connection, reads no clock and no file, and prints nothing.
//
// # How the data flows
//
// A program declares what it needs: each [Need] is one scope, or several of which one
// is enough, with a [Level], a reason, and the [Operation]s that it is for (package
// scopes/manifest reads these from YAML). From there:
//
//	[]Need ─► Negotiate ─► Plan ─► (someone asks) ─► Grant ─► Compare ─► Gap
//
// [Negotiate] compares the needs with what the server advertises and gives a [Plan]:
// for each need whether it is requested, and why. Others ask, and write down in a
// [Grant] what came, and how they know. [Compare] compares the grant with the needs
// and gives a [Gap]: what is missing, by level, with what stops working. Each is a
// plain value, made by one function from nothing but its arguments.
//
// # Three readings of a list
//
// A server's scopes_supported is a hint (RFC 8414 §2): a server may leave out scopes
// that it grants. A list withholds what it lacks, unless the need says advertised:
// false. A list that is absent says nothing, and neither does an empty one, which RFC
// 8414 §3.2 forbids; then everything is requested, and the grant is what counts.
//
// # Levels
//
// Without a [Required] scope the program does not start, without a [Recommended] one
// it is visibly worse, without an [Optional] one a feature is lost. Only required
// needs can block a plan.
//
// # Implication
//
// Holding one scope can be as good as holding another: on many servers x:write covers
// x:read. [Implications] are rules of that kind, with patterns. What a requested scope
// implies is not requested too, and a need whose scope is implied by a granted one is
// met. Rules that lead back to themselves are refused, and a search for what covers a
// need looks at 64 scopes at most.
//
// # Which operation a request is
//
// [Operations] answers that, for everyone who asks: the proxy, the recorder, an audit,
// a person. Where several templates fit, the one with fixed text counts. A [NeedIndex]
// finds the needs that are declared for a request.
//
// # Guarantees
//
// What comes out stands in the order of the needs, or sorted where it says so; the same
// input gives the same bytes. [Set], [Implications], [Operations] and [NeedIndex] do not
// change once made, and may be shared between goroutines. Names and reasons come from
// files of others: this package bounds and checks them, and quotes them in messages; a
// view escapes them for where it shows them.
package scopes
