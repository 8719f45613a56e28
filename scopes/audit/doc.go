// Package audit compares a manifest with evidence of what a program really calls: what
// documents of an API say that an operation requires, which calls are made, and what was
// recorded.
//
// [Audit] makes a picture first, the facts: what is declared, what is in use and why, and what is
// not known. Then each of [Rules] finds what is wrong, in a file of its own (rule_*.go) with its
// help and its cases (testdata/rule_*). A rule looks at nothing but the facts. [Findings] hold the
// outcome, a table of scopes, and a small set of scopes that would do. [Fixed] is the manifest
// without what can be settled.
package audit
