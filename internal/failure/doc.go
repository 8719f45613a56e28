// Package failure gives each error its exit code and the way out, as a [view.Failure]: what a
// command says on standard error, and in its JSON. The error says what happened; what it means to
// somebody at the command line is known here alone. All functions are safe for concurrent use.
package failure
