package profile

import (
	"path"
	"slices"
	"strings"
)

// A program is one that a command line starts, by itself or through wrappers.
type program struct {
	word      string // its name or path, or that of a package
	isPackage bool   // word may be a package's name
	arguments []string
	at        int // index of word in the command line; -1 where it stands inside of one of its words
}

// A wrapper is the grammar of a program that starts another one.
type wrapper struct {
	verbs    []string // words of its own, one of which comes before the program
	valued   []string // options that take the next word
	operands int      // words of its own right before the program
	assigns  bool     // NAME=value may come before the program
	packages bool     // it takes a package's name as well
	line     []string // options whose next word is a line of shell
	letters  bool     // options of one letter can stand together, as in -lc
	slash    bool     // options begin with a slash
}

// wrappers are the usual ones, by their base names.
var wrappers = func() map[string]wrapper {
	shell := wrapper{line: []string{"-c", "--command"}, valued: []string{"-o", "+o", "-O", "--rcfile", "--init-file"}, letters: true}
	npx := wrapper{packages: true, valued: []string{"-p", "--package", "-w", "--workspace"}, line: []string{"-c", "--call"}}
	dlx := func(verbs ...string) wrapper {
		return wrapper{verbs: verbs, packages: true, valued: []string{"-p", "--package", "-C", "--dir", "--cwd", "-w", "--workspace"}, line: []string{"-c", "--call"}}
	}
	all := map[string]wrapper{
		"env":     {assigns: true, valued: []string{"-u", "--unset", "-C", "--chdir"}, line: []string{"-S", "--split-string"}},
		"sudo":    {assigns: true, valued: []string{"-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T", "-U", "-r", "-t", "--user", "--group", "--chdir"}},
		"doas":    {valued: []string{"-u", "-C"}},
		"timeout": {operands: 1, valued: []string{"-s", "--signal", "-k", "--kill-after"}},
		"nice":    {valued: []string{"-n", "--adjustment"}},
		"ionice":  {valued: []string{"-c", "-n", "-p", "--class", "--classdata"}},
		"stdbuf":  {valued: []string{"-i", "-o", "-e", "--input", "--output", "--error"}},
		"time":    {valued: []string{"-f", "-o", "--format", "--output"}},
		"nohup":   {}, "setsid": {}, "exec": {valued: []string{"-a"}}, "command": {}, "caffeinate": {valued: []string{"-t", "-w"}}, "winpty": {},
		"npx": npx, "pnpx": npx, "bunx": npx, "uvx": {packages: true, valued: []string{"--from", "--with", "-p", "--python"}},
		"npm": dlx("exec", "x"), "pnpm": dlx("dlx", "exec"), "yarn": dlx("dlx", "exec"), "bun": dlx("x"), "pipx": dlx("run"),
		"node": {valued: []string{"-r", "--require", "--import", "--loader", "-C", "--conditions", "--env-file"}}, "deno": {verbs: []string{"run"}},
		"cmd": {slash: true},
	}
	for _, name := range []string{"sh", "bash", "dash", "zsh", "ksh", "ash", "fish"} {
		all[name] = shell
	}
	return all
}()

// maxWrapped bounds how deep wrappers are followed.
const maxWrapped = 8

// launched lists the programs that a command line seems to start: each wrapper, and what it
// starts in turn. It reads the command line alone, and never a script.
func launched(command []string) []program { return follow(command, 0, maxWrapped) }

// follow looks at words, which begin at an index of the command line; -1: they stand inside of one
// of its words.
func follow(words []string, at, depth int) []program {
	if len(words) == 0 || depth == 0 {
		return nil
	}
	found := []program{{word: words[0], arguments: words[1:], at: at}}
	w, known := wrappers[baseName(words[0])]
	if !known {
		return found
	}
	start, line, ok := w.skip(words)
	if line != "" {
		for _, simple := range shellCommands(line) {
			found = append(found, follow(simple, -1, depth-1)...)
		}
	}
	if !ok {
		return found
	}
	if at >= 0 {
		at += start
	}
	inner := follow(words[start:], at, depth-1)
	inner[0].isPackage = w.packages
	return append(found, inner...)
}

// skip finds where the program begins behind the wrapper's own words, or the line of shell that
// it was given.
func (w wrapper) skip(words []string) (start int, line string, ok bool) {
	verb := len(w.verbs) == 0
	i := 1
	for i < len(words) {
		word := words[i]
		option := len(word) > 1 && (word[0] == '-' || word[0] == '+' && w.letters || word[0] == '/' && w.slash)
		switch {
		case option && w.takesLine(word):
			if i+1 < len(words) {
				line = words[i+1]
			}
			return 0, line, false
		case option && slices.Contains(w.valued, word):
			i += 2
		case option, w.assigns && isAssignment(word):
			i++
		case !verb && !slices.Contains(w.verbs, word):
			return 0, "", false
		case !verb:
			verb = true
			i++
		default:
			return i + w.operands, "", i+w.operands < len(words)
		}
	}
	return 0, "", false
}

func (w wrapper) takesLine(option string) bool {
	together := w.letters && !strings.HasPrefix(option, "--") && option[0] == '-' && strings.HasSuffix(option, "c")
	return len(w.line) > 0 && (together || slices.Contains(w.line, option))
}

func isAssignment(word string) bool {
	name, _, found := strings.Cut(word, "=")
	return found && name != "" && !strings.ContainsAny(name, "/-. ")
}

// shellCommands splits a line of shell into simple commands, without the assignments before them.
// It knows quotes and what stands between commands, and takes everything else as it is written.
func shellCommands(line string) (commands [][]string) {
	var words []string
	var word strings.Builder
	quote, begun, escaped := rune(0), false, false
	endWord := func() {
		if begun && (len(words) > 0 || !isAssignment(word.String())) {
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

// baseName is the name of a program without its directory and the endings of executable files.
func baseName(word string) string {
	base := path.Base(strings.ReplaceAll(word, `\`, "/"))
	for _, ending := range []string{".exe", ".cmd", ".bat", ".ps1", ".js", ".mjs", ".cjs"} {
		if cut := len(base) - len(ending); cut > 0 && strings.EqualFold(base[cut:], ending) {
			return base[:cut]
		}
	}
	return base
}

// packageName is the name of a package without its version, or that of the package in whose
// directory a file lies; "" where there is none.
func (p program) packageName() string {
	name := strings.ReplaceAll(p.word, `\`, "/")
	if _, inside, found := cutLast(name, "node_modules/"); found {
		parts := strings.SplitN(inside, "/", 3)
		if strings.HasPrefix(inside, "@") && len(parts) > 1 {
			return parts[0] + "/" + parts[1]
		}
		return parts[0]
	}
	if !p.isPackage {
		return ""
	}
	if at := strings.LastIndexByte(name, '@'); at > 0 {
		name = name[:at]
	}
	return name
}

func cutLast(s, sep string) (before, after string, found bool) {
	if at := strings.LastIndex(s, sep); at >= 0 {
		return s[:at], s[at+len(sep):], true
	}
	return s, "", false
}

// is reports whether the program is the profile's own.
func (p *Profile) is(started program) bool {
	name := started.packageName()
	if name != "" && slices.Contains(p.packages, name) {
		return true
	}
	base := baseName(started.word)
	if started.isPackage {
		base = baseName(name)
		if strings.HasPrefix(name, "@") { // a package of somebody, which only ends in that word
			return false
		}
	}
	return base != anyCommand && slices.Contains(p.commands, base)
}

// ForAny reports whether the profile is for commands of which nothing is known.
func (p *Profile) ForAny() bool { return slices.Contains(p.commands, anyCommand) }

// started finds the profile's own program in a command line.
func (p *Profile) started(command []string) (program, bool) {
	for _, one := range launched(command) {
		if p.is(one) {
			return one, true
		}
	}
	return program{}, false
}
