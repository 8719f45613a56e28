// Package audit compares a manifest with evidence of what a program really calls: what
// documents of an API say that an operation requires, which calls are made, and what was
// recorded. [Audit] gives [Findings], among them the least set of scopes that would do.
package audit
