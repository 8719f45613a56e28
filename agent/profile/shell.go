package profile

import (
	"slices"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"
)

// A simpleCommand is one of a line of shell, with the variables that are set for it.
type simpleCommand struct {
	words    []string
	assigned []assignment
}

// maxShellMistakes bounds how many mistakes of a line are read over: a line of fish or PowerShell is
// one of sh in most of its words.
const maxShellMistakes = 8

// shellCommands are the simple commands of a line of shell, wherever they stand: in a condition, a
// loop, a function, a substitution.
func shellCommands(line string) []simpleCommand {
	line = strings.TrimLeft(line, "& \t\n") // with & PowerShell calls a program
	// A line that is not shell to its end has its commands up to there.
	file, _ := syntax.NewParser(syntax.RecoverErrors(maxShellMistakes)).Parse(strings.NewReader(line), "")
	if file == nil {
		return nil
	}
	s := shellScan{line: line}
	syntax.Walk(file, s.visit)
	return s.commands
}

// A shellScan walks the syntax of a line.
type shellScan struct {
	line     string
	assigned []assignment // so far, for what follows
	within   []int        // for each open node how many of them stay at its end; stayAll: every one
	commands []simpleCommand
}

const stayAll = -1

// visit is for [syntax.Walk], which ends each node with nil.
func (s *shellScan) visit(node syntax.Node) bool {
	if node == nil {
		last := len(s.within) - 1
		if stay := s.within[last]; stay != stayAll {
			s.assigned = s.assigned[:stay]
		}
		s.within = s.within[:last]
		return false
	}
	stay := stayAll
	switch n := node.(type) {
	case *syntax.Subshell, *syntax.CmdSubst, *syntax.ProcSubst:
		stay = len(s.assigned)
	case *syntax.CallExpr:
		s.call(n)
	case *syntax.DeclClause:
		s.assigned = append(s.assigned, s.assignments(n.Args)...)
	}
	s.within = append(s.within, stay)
	return true
}

func (s *shellScan) call(n *syntax.CallExpr) {
	own := s.assignments(n.Assigns)
	if len(n.Args) == 0 { // a variable of the environment stays one
		s.assigned = append(s.assigned, own...)
		return
	}
	words := s.program(n.Args[0])
	for _, word := range n.Args[1:] {
		words = append(words, s.text(word.Parts))
	}
	switch {
	case len(words) == 0:
	case words[0] == "unset":
		for _, word := range words[1:] {
			s.assigned = append(s.assigned, assignment{name: word})
		}
	default:
		s.commands = append(s.commands, simpleCommand{words, slices.Concat(s.assigned, own)})
	}
}

// assignments are those with a value; one without it only exports what there is.
func (s *shellScan) assignments(written []*syntax.Assign) (list []assignment) {
	for _, a := range written {
		var value string
		if a.Value != nil {
			value = s.text(a.Value.Parts)
		}
		switch {
		case a.Name != nil && !a.Naked:
			list = append(list, assignment{a.Name.Value, value})
		case a.Name == nil && isAssignment(value): // in quotes
			list = append(list, assignmentOf(value))
		}
	}
	return list
}

// lookups are commands that print where the program is that they name last.
var lookups = []string{"command", "which", "type", "whence", "where", "readlink", "realpath"}

// program are the words with which a command begins: what stands for its program is looked through.
func (s *shellScan) program(word *syntax.Word) []string {
	parts := word.Parts
	if len(parts) == 1 {
		if quoted, ok := parts[0].(*syntax.DblQuoted); ok {
			parts = quoted.Parts
		}
	}
	if len(parts) != 1 {
		return []string{s.text(word.Parts)}
	}
	switch part := parts[0].(type) {
	case *syntax.CmdSubst:
		if found := s.lookedUp(part); found != "" {
			return []string{found}
		}
	case *syntax.ParamExp:
		if _, known := s.value(part); known {
			return strings.Fields(s.text(parts))
		}
		if part.Exp != nil && part.Exp.Word != nil && (part.Exp.Op == syntax.DefaultUnset || part.Exp.Op == syntax.DefaultUnsetOrNull) {
			return []string{s.text(part.Exp.Word.Parts)}
		}
	}
	return []string{s.text(word.Parts)}
}

// lookedUp is the program of which a substitution is the path; "" where it is something else.
func (s *shellScan) lookedUp(n *syntax.CmdSubst) string {
	if len(n.Stmts) != 1 {
		return ""
	}
	call, ok := n.Stmts[0].Cmd.(*syntax.CallExpr)
	if !ok || len(call.Args) < 2 || !slices.Contains(lookups, baseName(s.text(call.Args[0].Parts))) {
		return ""
	}
	return strings.Join(s.program(call.Args[len(call.Args)-1]), " ")
}

// text is what parts of a word come to, as far as the line tells; the rest stands as it is written.
func (s *shellScan) text(parts []syntax.WordPart) string { return s.textOf(parts, "") }

// textOf is the same for parts in which a backslash is one only before these; "": before any.
func (s *shellScan) textOf(parts []syntax.WordPart, escapable string) string {
	var b strings.Builder
	for _, part := range parts {
		switch n := part.(type) {
		case *syntax.Lit:
			b.WriteString(unescapedShell(n.Value, escapable))
		case *syntax.SglQuoted:
			b.WriteString(n.Value)
		case *syntax.DblQuoted:
			b.WriteString(s.textOf(n.Parts, "$`\"\\\n"))
		case *syntax.ParamExp:
			value, known := s.value(n)
			if !known {
				value = s.written(n)
			}
			b.WriteString(value)
		default:
			b.WriteString(s.written(n))
		}
	}
	return b.String()
}

// maxShellValue bounds what a variable is looked through for: A=$A$A doubles it each time.
const maxShellValue = 4 << 10

// value is that of a variable which the line has set.
func (s *shellScan) value(n *syntax.ParamExp) (value string, known bool) {
	name := s.written(n)
	name = strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(name, "$"), "{"), "}")
	for _, a := range slices.Backward(s.assigned) {
		if a.name == name {
			return a.value, len(a.value) <= maxShellValue
		}
	}
	return "", false
}

// written is a node as it stands in the line.
func (s *shellScan) written(n syntax.Node) string {
	end := min(int(n.End().Offset()), len(s.line))
	return s.line[min(int(n.Pos().Offset()), end):end]
}

// unescapedShell takes away the backslashes that only make another character stand for itself.
func unescapedShell(text, escapable string) string {
	var b strings.Builder
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, `\`)
		b.WriteString(before)
		if rest = after; !found || after == "" {
			break
		}
		if escapable != "" && !strings.Contains(escapable, after[:1]) {
			b.WriteByte('\\')
		}
		_, size := utf8.DecodeRuneInString(after)
		b.WriteString(after[:size])
		rest = after[size:]
	}
	return b.String()
}
