// Package console speaks with the person at a terminal: the program's own words on standard
// error, progress, questions, and what is typed.
package console
