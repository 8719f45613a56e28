// Package yamlfile reads YAML files that people write: strictly, with the allowed words, and
// with everything that is wrong told at once, each [Mistake] with its place.
//
// A [Reader] walks the nodes of one file. Mapping, Named and List go into what holds others,
// Text, Word, Boolean and Number read what does not; each notes what does not fit and goes
// on. In the end Told has all of it, in the order of the file.
package yamlfile
