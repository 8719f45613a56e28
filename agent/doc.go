// Package agent lends a credential to a child program through a loopback proxy, and
// tells why a call was refused.
//
// # Lending
//
// A [Proxy] listens on 127.0.0.1. The child reaches each base of the server through it,
// and shows a lease, which is worth nothing elsewhere and ends with the run; the proxy
// puts the credential in its place. The child never has the credential: what it writes
// into a file or sends to somebody else is the lease. [Profile.Environment] makes the
// child's environment, a [Command] runs it.
//
//	Source ─► Credential ─► Proxy ◄─ lease ─ child    (Terms ─► Environment ─► Command)
//	                          │
//	                          └─► server ─► refusal ─► Case ─► Diagnose ─► Verdict
//
// A request with the lease goes on, and whatever other credential came beside it is left
// out. A request with only another one goes nowhere, so nobody's login leaves for a
// server that it is not meant for. A request with none is answered here. The beginning
// of every path is secret too: another user of the machine cannot even be refused.
//
// Answers pass as they come, piece by piece and as they are packed. Only refusals are
// read, at most [MaxRefusal] of each. An upload is kept, up to [MaxReplay], as long as
// the request may have to be repeated, which is where the credential can be renewed.
//
// # Telling why
//
// [Diagnose] is a pure function from a [Case] to a [Verdict]: what was sent, what the
// server said, what the credential holds by the server's own word, what the manifest
// declares for the operation, what a scan of the machine found, what other servers said.
// Every cause has its evidence, and [Proved] stands only on what was measured. A request
// that carried our credential and no other is never a conflict, whatever lies on the
// disk. [Forecast] is the verdict before anything was called, [Bypassed] the one on a
// child that never came. The proxy tells the same cause and scope once, before the child
// has its answer; an agent that would repeat a 401 for minutes gets a 403 in its place,
// with the verdict's first line where it shows errors.
//
// # Knowledge
//
// What an agent program reads and where it keeps what is data: a [Profile], one YAML
// file each in profiles. [Profile.Scan] looks through its eyes for what meddles, and
// keeps names only. How a provider words a refusal is in the provider's file.
//
// # What is guaranteed
//
// A [credential.Credential] cannot print its secret; no log line, record or verdict holds a credential, a
// query or a body, and every text in a verdict fits on one line of a terminal. Waiting
// has an end everywhere but in what a plain proxy would wait for too. A Proxy and a
// [Child] may be used by many goroutines at once; a Profile does not change once decoded.
package agent
