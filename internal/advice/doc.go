// Package advice says what to do: a [Situation] becomes a list of [Step], made in this one
// place from what went wrong, from the credential and where it came from, and from
// whether someone is there to log in. Whatever shows a step (the terminal, a page, a
// summary, JSON) shows the same one.
package advice
