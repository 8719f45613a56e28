// Package files reads and writes files as this program has to: bounded, in one step, for this
// user only, and never through what someone else laid in the way.
package files
