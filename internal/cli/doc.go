// Package cli is the command line of ambit: a file a command, and glue only. What is
// decided, is decided in scopes; what is sent, is sent by metadata and oauth; here a
// command reads its settings, calls them in order, and shows the value that comes out.
//
// A [Command] is one invocation. Each command returns a view, which can be shown as text
// or as the JSON of the contract, and maybe a failure, which knows its exit code and the
// way out. Results go to standard output; the story goes to standard error, through the
// one voice of voice.go. Every text from outside is made fit for a terminal (plain) where
// it is shown, and no sooner.
package cli
