// Package scopes decides which OAuth scopes to ask for, and what a grant lacks. It
// is pure: it opens no connection, reads no clock and prints nothing.
//
// # The way of the data
//
// A [Manifest] declares what a program needs: each [Need] is one scope, or several
// of which one is enough, with a [Level], a reason, and the operations that it is for.
// [Decode] reads it from YAML, together with the [Provider] that it names, and reports
// everything that is wrong at once, each [Mistake] with its place. From there:
//
//	Manifest.Select ─► []Entry ─► Negotiate ─► Plan ─► (someone asks) ─► Grant ─► Compare ─► Gap
//
// [Negotiate] holds the needs against what the server advertises and gives a [Plan]:
// for each need whether it is asked for, and why. Others ask, and write down in a
// [Grant] what came, and how they know. [Compare] holds the grant against the needs
// and gives a [Gap]: what lacks, by level, with what stops working. A caller whose
// request is refused later looks up by [Operation.Matches] which need the call was for.
// Each is a plain value, made by one function from nothing but its arguments.
//
// # Three readings of a list
//
// A server's scopes_supported is a hint (RFC 8414 §2): a server may leave out scopes
// that it grants. A list withholds what it lacks, unless the entry says advertised:
// false. A list that is absent tells nothing, and so does an empty one, which RFC 8414
// §3.2 forbids; then everything is asked for, and the grant is what counts.
//
// # Levels
//
// Without a [Required] scope the program does not start, without a [Recommended] one
// it is visibly worse, without an [Optional] one a feature is lost. Only required
// needs can block a plan. A program of the manifest adds needs to the base and can
// raise a level, never lower it.
//
// # Implication
//
// Holding one scope can be as good as holding another: on many servers x:write covers
// x:read. [Implications] are rules of that kind, with patterns, from the provider's
// file. What an asked scope implies is not asked for too, and a need whose scope is
// implied by a granted one is met. Rules that lead back to themselves are refused, and
// a search for what covers a need looks at 64 scopes at most.
//
// # Later, and looking back
//
// A [Lock] records what servers advertised when someone last looked; its Drift is what
// they advertise otherwise now. [Audit] holds the manifest against [Evidence] of what
// is really called, [Cover] finds the least set of scopes for that, and [Mend] edits
// the manifest's text and leaves every other byte as it was.
//
// # What is guaranteed
//
// Order: what comes out stands in the order of the manifest, or sorted where it says
// so; the same input gives the same bytes. Concurrency: [Set], [Implications],
// [Provider] and [Manifest] do not change once made, and may be shared. Names and
// reasons come from files of others: this package bounds and checks them, and quotes
// them in messages; a view escapes them for where it shows them.
package scopes
