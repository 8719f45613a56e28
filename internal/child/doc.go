// Package child runs a child process with the terminal, hands signals on to it, and ends it
// and what it started.
package child
