package advice

import (
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
)

// A Step is one way out, or one part of it. Each of its members fits on one line.
type Step struct {
	Text    string // what to do, for people; "" where the command says it
	Command string // to be pasted as it is; "" where there is none
	URL     string // of the page where it is done; "" where there is none
}

// String is the step in one line.
func (s Step) String() string {
	line := s.Text
	switch {
	case s.Command != "" && line != "":
		line += ": " + s.Command
	case s.Command != "":
		line = s.Command
	}
	if s.URL != "" {
		line = strings.TrimPrefix(line+"; at "+s.URL, "; ")
	}
	return line
}

// Line is the first step in one line, as a hint; "" where there is none.
func Line(steps []Step) string {
	if len(steps) == 0 {
		return ""
	}
	return steps[0].String()
}

// printable makes each step fit for its line, and drops what says nothing or was said.
func printable(steps []Step) []Step {
	list := make([]Step, 0, len(steps))
	for _, s := range steps {
		s = Step{text.Line(s.Text), text.Printable(s.Command), text.Printable(s.URL)}
		if s != (Step{}) && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}
