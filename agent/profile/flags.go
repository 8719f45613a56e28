package profile

import (
	"path"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// What a flag takes.
const (
	takesSettings = "settings"
	takesSetting  = "setting"
	takesServers  = "mcp_servers"
	takesNothing  = "nothing"
)

// arguments looks at what the command line sets for the profile's own program, or for whatever
// stands for it: variables, and flags.
func (s *scan) arguments() {
	programs := s.Command.programs
	if len(programs) == 0 {
		return
	}
	words := s.Command.words[1:]
	if one, ok := s.profile.started(s.Command); ok {
		words = one.arguments
		s.assignments(one.assigned)
	} else {
		s.assignments(programs[len(programs)-1].assigned)
	}
	for i, word := range words {
		if word == "--" {
			return
		}
		for _, f := range s.profile.flags {
			value, ok := f.value(word, words[i+1:])
			if ok {
				s.argument(f, value)
			}
			if ok && f.Many && word == f.Name {
				s.further(f, words[i+2:])
			}
		}
	}
}

// further looks at the words behind a flag that takes more than one.
func (s *scan) further(f flag, words []string) {
	for _, word := range words {
		if strings.HasPrefix(word, "-") {
			return
		}
		s.argument(f, word)
	}
}

// Offline reports whether a command line asks the profile's own program only for what it does
// without a request of its work: its version, its help, its settings.
func (p *Profile) Offline(command Command) bool {
	one, ok := p.started(command)
	if !ok && len(command.words) > 0 {
		one.arguments = command.words[1:]
	}
	for i, word := range one.arguments {
		if word == "--" {
			return false
		}
		if (i == 0 || strings.HasPrefix(word, "-")) && slices.Contains(p.offline, word) {
			return true
		}
	}
	return false
}

// value is what the flag is given at a word, or in the one that follows.
func (f flag) value(word string, following []string) (value string, ok bool) {
	long := strings.HasPrefix(f.Name, "--")
	switch {
	case f.Takes == takesNothing && (word == f.Name || long && strings.HasPrefix(word, f.Name+"=")):
		return "", true
	case word == f.Name && len(following) > 0:
		return following[0], true
	case f.Takes == takesNothing || word == f.Name:
		return "", false
	case long:
		return strings.CutPrefix(word, f.Name+"=")
	}
	value, ok = strings.CutPrefix(word, f.Name)
	return strings.TrimPrefix(value, "="), ok
}

func (s *scan) argument(f flag, value string) {
	as := settings{Source: SourceArgument, Format: f.Format, Counts: true}
	place := "the argument " + f.Name
	switch {
	case f.Takes == takesNothing:
		s.note(as, commandLine, map[string]any{f.Name: true}, "")
	case f.Takes == takesServers:
		s.mcpArgument(f, value)
	case f.Takes == takesSetting:
		s.note(as, place, oneSetting(value), "")
	case strings.HasPrefix(strings.TrimSpace(value), "{"):
		document, problem := parseSettings(f.Format, []byte(value))
		s.note(as, place, document, problem)
	default:
		s.file(as, s.fromProject(value))
	}
}

// fromProject is a path that is relative to the child's working directory.
func (s *scan) fromProject(file string) string {
	if !path.IsAbs(file) && !(len(file) > 1 && file[1] == ':') {
		file = strings.TrimRight(s.Project, "/") + "/" + file
	}
	return path.Clean(file)
}

// oneSetting reads KEY=VALUE; a value that is not TOML is a text.
func oneSetting(text string) map[string]any {
	name, value, _ := strings.Cut(text, "=")
	name = strings.TrimSpace(name)
	var read struct{ Value any }
	if err := toml.Unmarshal([]byte("Value = "+value), &read); err != nil {
		read.Value = value
	}
	return map[string]any{name: read.Value}
}
