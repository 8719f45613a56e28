// Package diagnosis says why a request was refused, or will be: a [Verdict] from a [Case], which
// holds all that is known of the request, the response, the credential and the needs. It is
// pure: it asks nobody, and reads no clock and no file.
//
// [Next] says what to try before a verdict is told; whoever sends requests does that.
// [Diagnose] looks in a fixed order, what is certain before what is likely. A verdict is
// [ConfidenceProved] where what was measured leaves no other cause.
package diagnosis
