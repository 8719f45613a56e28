// Package evidence reads what other documents say of the scopes that a program needs:
// OpenAPI and discovery documents, files of MCP tools, lists of calls, and recorded traffic.
//
//	OpenAPI.Read ─┐
//	Tools.Read ───┤
//	Calls.Read ───┼─► audit.Evidence, merged ─► audit.Audit ─► audit.Findings
//	Traffic.Read ─┘
//
// Each reader takes the name of a source, for messages, and its text; it opens nothing
// itself, apart from the documents that one refers to, by the functions that a caller
// gives it. The outcome of several is brought together by [audit.Evidence.Merge].
//
// # What is guaranteed
//
// Every source is hostile until it is parsed. Each reader has a limit on its size, in the
// constants of this package, and beyond it gives an *[Error] and no evidence. An *[Error]
// names the place, where there is one, and the flag that reads a file of another form. What
// is merely odd (a tool that names no scopes, a reference that was not followed) is a note
// in the evidence.
//
// Of recorded traffic only the method, the path without its query, the status and the
// scope that a refusal names survive the parsing: no header, no body, no cookie and no
// host. Segments of a path that begin as one of the provider's credentials do are masked,
// and what names one thing among many is folded into {id} ([scopes.FoldPath]).
// No error quotes a recording.
//
// Readers are plain structs whose zero value works. They hold no state and may be used
// by several goroutines at once.
package evidence
