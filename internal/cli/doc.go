// Package cli is the command line of ambit: a file for each command, and glue only. The
// front door (the root package) finds and obtains credentials, and scopes decides. A command
// reads its flags, calls these in order, and shows the value that comes out.
//
// A [Command] is one invocation. Each command returns a view, which package view renders as
// text or as the JSON of the contract, and maybe a failure, which knows its exit code and the
// way out. Results go to standard output; everything else goes to standard error, through
// package console. Text from outside is made fit for a terminal where it is shown.
package cli
