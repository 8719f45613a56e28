// Package manual lays out what a command says of itself: its help in a terminal, and its page for
// man. Both are made of the same commands and flags, so that they cannot differ. All functions
// are pure.
//
// Of a flag with a closed set of values the usage begins with them, as in "`auto|always|never` when
// to use color"; of any other, the name of the value stands in backquotes where it is used, as pflag
// has it.
package manual
