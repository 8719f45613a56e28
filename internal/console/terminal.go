package console

import (
	"io"
	"os"

	"golang.org/x/term"
)

// plainWidth is the width for which text is laid out where there is no terminal.
const plainWidth = 80

// IsTerminal reports whether a stream is a terminal that a person may watch.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Width is the width of the terminal behind a stream, in columns.
func Width(stream io.Writer) int {
	f, ok := stream.(*os.File)
	if !ok {
		return plainWidth
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width < 40 {
		return plainWidth
	}
	return width
}
