// Package agent lends a credential to a child program through a loopback proxy, and
// reports why a request was refused.
//
// # Lending
//
// A [Proxy] listens on 127.0.0.1. The child reaches each base of the server through it,
// and shows a lease, which is worth nothing elsewhere and ends with the run; the proxy
// puts the credential in its place. The child never has the credential: what it writes
// into a file or sends to somebody else is the lease. [profile.Profile.Environment] makes
// the child's environment.
//
//	Source ─► Credential ─► Proxy ◄─ lease ─ child            (Terms ─► Environment)
//	                          │
//	                          └─► server ─► refusal ─► Case ─► Diagnose ─► Verdict
//
// A request with the lease where it is swapped goes on. A credential beside it is left out: what
// stands in a header field whose name speaks of one, in a cookie, or in the access_token of the
// query. The lease itself is known by its value in any field, in the query and in the path; a
// request that has it only there is answered here. A request with only another credential goes
// nowhere, so nobody's login leaves in these places for a server that it is not meant for; bodies,
// and other parameters of the query, are not searched. A request with none is answered here. The
// beginning of every path is secret too: another user of the machine cannot even be refused. A program that drops the
// path of a URL gets a port for each base in place of it.
//
// Responses pass as they come, piece by piece and as they are packed. Only refusals are
// read, and only their beginning, and where the provider's file has an error at a status of success that means
// that the credential is not accepted, that of such responses. An upload is kept, up to 8 MiB (and all of
// them together up to 32), as long as the request may have to be repeated, which is where
// the credential can be renewed.
//
// # Reporting
//
// The proxy gathers what is known of a refusal into a [diagnosis.Case], and asks servers
// about the credential where nothing else tells. It reports the same cause and scope once,
// before the child has its response; an agent that would repeat a 401 for minutes, or add
// advice of its own to it, gets the status that its profile names in its place, with the
// verdict's message where it shows errors.
//
// # What is guaranteed
//
// A [credential.Credential] cannot print its secret; no log line, record or verdict holds
// a credential, a query or a body, and every text in a verdict fits on one line of a
// terminal. Waiting has an end everywhere but in what a plain proxy would wait for too. A
// Proxy may be used by many goroutines at once.
package agent
