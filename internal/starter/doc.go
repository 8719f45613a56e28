// Package starter writes the text of a new manifest: what it declares at first, and whatever else a
// server offers as comments, each of which is a whole entry once its "# " is gone. Pure.
package starter
