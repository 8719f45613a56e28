package text

import "unicode"

// Columns is how many columns a terminal takes for a printable text: East Asian letters and pictures
// have two, what combines with the letter before it has none.
func Columns(text string) int {
	n := 0
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me):
		case isWide(r):
			n += 2
		default:
			n++
		}
	}
	return n
}

// isWide is by the blocks that Unicode's EastAsianWidth gives as W or F throughout.
func isWide(r rune) bool {
	for _, block := range [...][2]rune{
		{0x1100, 0x115f},
		{0x2e80, 0x303e},
		{0x3041, 0xa4cf},
		{0xac00, 0xd7a3},
		{0xf900, 0xfaff},
		{0xfe30, 0xfe6f},
		{0xff00, 0xff60},
		{0xffe0, 0xffe6},
		{0x1f300, 0x1f64f},
		{0x1f680, 0x1f6ff},
		{0x1f900, 0x1f9ff},
		{0x20000, 0x3fffd},
	} {
		if r < block[0] {
			return false
		}
		if r <= block[1] {
			return true
		}
	}
	return false
}
