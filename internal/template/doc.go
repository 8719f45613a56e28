// Package template knows the one form in which files of this program leave something open:
// a {name} within fixed text. A [Part] is a word with at most one of them, as stands between
// the colons of a scope or the slashes of a path; [Search] finds a wording within a text, and
// [Fill] puts values in.
package template
