// Package text makes text fit for people: what comes from outside for one line or a block,
// counts and plurals, the allowed words behind a mistake, and the word that was likely meant.
package text
