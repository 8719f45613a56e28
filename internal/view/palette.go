package view

// A Palette colours words with the eight colours that every terminal has, so that
// they follow its light or dark theme. The zero value leaves words as they are.
type Palette struct{ On bool }

// Red is for what fails.
func (p Palette) Red(s string) string   { return p.sgr("31", s) }
func (p Palette) green(s string) string { return p.sgr("32", s) }

// Yellow is for what wants a look.
func (p Palette) Yellow(s string) string { return p.sgr("33", s) }

// Bold is for headings.
func (p Palette) Bold(s string) string { return p.sgr("1", s) }

// Dim is for what may be passed over.
func (p Palette) Dim(s string) string { return p.sgr("2", s) }

func (p Palette) sgr(code, s string) string {
	if !p.On || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}
