package profile

import "strings"

// glob reports whether name has the pattern's form, in which * stands for any text.
// Case does not matter: it does not on Windows, and nobody tells two of his variables
// apart by it elsewhere.
func glob(pattern, name string) bool {
	pattern, name = strings.ToUpper(pattern), strings.ToUpper(name)
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return name == pattern
	}
	name, found := strings.CutPrefix(name, first)
	for found {
		var piece string
		piece, rest, star = strings.Cut(rest, "*")
		if !star {
			return strings.HasSuffix(name, piece)
		}
		_, name, found = strings.Cut(name, piece)
	}
	return false
}
