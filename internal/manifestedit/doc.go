// Package manifestedit edits the text of a manifest and leaves every other byte as it was:
// comments, order, blank lines, quotes, line endings and a missing final newline. What it
// cannot do that way it refuses, with the words "do this by hand".
package manifestedit
