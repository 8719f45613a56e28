// Package declared reads and edits the files in which platforms want scopes declared: a manifest of theirs
// names them beside much else, and drifts from what the program needs.
//
// Which files there are, where the scopes stand in them, in which form and at which level is data: a [Kind] is a
// YAML file in kinds. [Read] reads one, [File.Compare] says what it asks for other than a manifest of
// ours, and [File.Into] changes that part of its text and nothing else.
package declared
