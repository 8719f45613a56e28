// Package view renders values: for people, as the JSON of the contract, as annotations, SARIF,
// Markdown and pages. A view holds no logic of its own: all formats show the same value, and
// text from outside is made fit for each of them here.
package view
