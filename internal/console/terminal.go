package console

import (
	"io"
	"os"
	"runtime"

	"github.com/ambit-auth/ambit/internal/view"
	"golang.org/x/term"
)

// plainWidth is the width for which text is laid out on a terminal that does not tell its own.
const plainWidth = 80

// IsTerminal reports whether a stream is a terminal that a person may watch.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Width is the width of the terminal behind a stream, in columns; [view.Unlimited] where there is
// none: whoever reads a file or a log searches it by the line.
func Width(stream io.Writer) int {
	if !IsTerminal(stream) {
		return view.Unlimited
	}
	width, _, err := term.GetSize(int(stream.(*os.File).Fd()))
	if err != nil || width < 40 {
		return plainWidth
	}
	return width
}

// OpenTerminal opens the terminal at which this program was started, whatever its standard streams
// are.
func OpenTerminal() (*os.File, error) {
	if runtime.GOOS == "windows" {
		return os.OpenFile("CONIN$", os.O_RDWR, 0)
	}
	return os.OpenFile("/dev/tty", os.O_RDWR, 0)
}

// modesOf are the modes of the terminal behind a stream; nil where there is none.
func modesOf(stream any) *term.State {
	f, ok := stream.(*os.File)
	if !ok {
		return nil
	}
	modes, err := term.GetState(int(f.Fd()))
	if err != nil {
		return nil
	}
	return modes
}

// restored gives the terminal its modes back, and reports whether it had others: what draws a
// screen takes line ends and echo away, and puts them back before it ends.
func restored(stream any, before *term.State) bool {
	after := modesOf(stream)
	if before == nil || after == nil || *before == *after {
		return false
	}
	return term.Restore(int(stream.(*os.File).Fd()), before) == nil
}

// plainScreen leaves the alternate screen, and on the main one goes to its last line: where
// the cursor belongs nobody knows. Then the cursor is shown, colors are the usual ones, and
// neither mouse nor pasted text are reported (xterm's control sequences).
const plainScreen = "\x1b[?1049l\x1b[999;1H\x1b[?25h\x1b[0m\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l"
