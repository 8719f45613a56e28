package profile

import "strings"

// A simpleCommand is one of a line of shell, with the variables that are set for it.
type simpleCommand struct {
	words    []string
	assigned []assignment
}

// shellCommands splits a line of shell into simple commands. It knows quotes, what stands between
// commands, and assignments; it takes everything else as it is written.
func shellCommands(line string) (commands []simpleCommand) {
	var exported []assignment // for what follows, too
	for _, words := range shellWords(line) {
		n := 0
		for n < len(words) && isAssignment(words[n]) {
			n++
		}
		var own []assignment
		for _, word := range words[:n] {
			own = append(own, assignmentOf(word))
		}
		switch words = words[n:]; {
		case len(words) == 0: // a variable of the environment stays one
			exported = append(exported, own...)
		case words[0] == "export" || words[0] == "declare" || words[0] == "typeset":
			for _, word := range words[1:] {
				if isAssignment(word) {
					exported = append(exported, assignmentOf(word))
				}
			}
		case words[0] == "unset":
			for _, word := range words[1:] {
				exported = append(exported, assignment{name: word})
			}
		default:
			commands = append(commands, simpleCommand{words, append(exported[:len(exported):len(exported)], own...)})
		}
	}
	return commands
}

// shellWords are the words of each simple command.
func shellWords(line string) (commands [][]string) {
	var words []string
	var word strings.Builder
	quote, begun, escaped := rune(0), false, false
	endWord := func() {
		if begun {
			words = append(words, word.String())
		}
		word.Reset()
		begun = false
	}
	endCommand := func() {
		endWord()
		if len(words) > 0 {
			commands = append(commands, words)
		}
		words = nil
	}
	parameter := 0 // braces of ${NAME} that are open
	for _, c := range line {
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case c == '\\' && quote != '\'':
			begun, escaped = true, true
		case c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, begun = c, true
		case c == '{' && strings.HasSuffix(word.String(), "$"):
			parameter++
			word.WriteRune(c)
		case c == '}' && parameter > 0:
			parameter--
			word.WriteRune(c)
		case strings.ContainsRune(";&|\n(){}`", c):
			endCommand()
		case c == ' ' || c == '\t':
			endWord()
		default:
			begun = true
			word.WriteRune(c)
		}
	}
	endCommand()
	return commands
}
