// Package files reads and writes files as this program has to: bounded, in one step, for this
// user only, never through what someone else laid in the way, and never from a pipe or a
// device that would not end.
package files
