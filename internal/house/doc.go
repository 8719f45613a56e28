// Package house holds no code, only the tests that keep the rules of this tree: who
// may import whom, and what may stand in which file.
package house
