// Package signals knows which signals end a program, and what is owed before the end to what
// was begun.
package signals
