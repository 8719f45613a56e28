package profile

import (
	"path"
	"slices"
	"strings"
	"sync"
)

// A Command is a command line, with the programs that it starts: each wrapper, and what that
// starts in turn. The zero value starts none.
type Command struct {
	words    []string
	programs []program
}

// NewCommand reads a command line alone, and no file: see [Disk.Command].
func NewCommand(words ...string) Command {
	return Command{words, follow(words, 0, nil, maxWrapped)}
}

// A program is one that a command line starts, by itself or through wrappers.
type program struct {
	word      string   // its name or path, or that of a package
	targets   []string // paths to which it is a link
	isPackage bool     // word may be a package's name
	arguments []string
	at        int          // index of word in the command line; -1 where it stands inside of one of its words
	assigned  []assignment // the variables that the command line sets for it, or takes away
}

// A wrapper is the grammar of a program that starts another one.
type wrapper struct {
	groups   []string // words of its own that may come before the verb
	verbs    []string // words of its own, one of which comes before the program
	valued   []string // options that take the next word
	unsets   []string // options that take the name of a variable that the program does not get
	clears   []string // options with which it gets none
	instead  []string // options with which it starts none
	operands int      // words of its own right before the program
	dashes   bool     // the program comes after --
	assigns  bool     // NAME=value may come before the program
	packages bool     // it takes a package's name as well
	line     []string // options whose next word is a line of shell
	late     bool     // such an option may come behind other words
	letters  bool     // options of one letter can stand together, as in -lc
	slash    bool     // options begin with a slash
	joined   bool     // its words together are a line of shell
}

// wrappers are the usual ones, by their base names. They are made when a command line is read: every
// command would wait for them.
var wrappers = sync.OnceValue(func() map[string]wrapper {
	npmValued := []string{
		"-p", "--package", "-w", "--workspace", "-C", "--dir", "--cwd", "--prefix", "--registry", "--cache", "--userconfig", "--loglevel", "--filter", "-F", "--script-shell",
	}
	npx := wrapper{packages: true, valued: npmValued, line: []string{"-c", "--call"}}
	dlx := func(verbs ...string) wrapper {
		return wrapper{verbs: verbs, packages: true, valued: npmValued, line: []string{"-c", "--call"}}
	}
	python := []string{"--from", "--with", "-p", "--python", "--index", "--index-url", "--directory", "--project", "--env-file", "-n", "--name"}
	command := []string{"-c", "--command"}
	all := map[string]wrapper{
		"env": {
			assigns: true, valued: []string{"-C", "--chdir"}, unsets: []string{"-u", "--unset"}, clears: []string{"-i", "--ignore-environment", "-"},
			line: []string{"-S", "--split-string"},
		},
		"sudo":    {assigns: true, valued: []string{"-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T", "-U", "-r", "-t", "--user", "--group", "--chdir"}},
		"doas":    {valued: []string{"-u", "-C"}},
		"su":      {operands: 1, line: command, late: true, letters: true},
		"timeout": {operands: 1, valued: []string{"-s", "--signal", "-k", "--kill-after"}},
		"nice":    {valued: []string{"-n", "--adjustment"}},
		"ionice":  {valued: []string{"-c", "-n", "-p", "--class", "--classdata"}},
		"taskset": {operands: 1}, "chrt": {operands: 1},
		"flock":  {operands: 1, valued: []string{"-w", "--timeout", "-E", "--conflict-exit-code"}, line: command, late: true},
		"stdbuf": {valued: []string{"-i", "-o", "-e", "--input", "--output", "--error"}},
		"time":   {valued: []string{"-f", "-o", "--format", "--output"}},
		"xargs": {valued: []string{
			"-n", "--max-args", "-I", "-P", "--max-procs", "-L", "--max-lines", "-s", "--max-chars", "-d", "--delimiter", "-E", "-a", "--arg-file",
		}},
		"script": {
			operands: 1, line: command, late: true, letters: true,
			valued: []string{"-B", "-I", "-O", "-T", "-E", "-m", "-o", "--log-io", "--log-in", "--log-out", "--log-timing", "--echo", "--logging-format", "--output-limit"},
		},
		"strace": {valued: []string{"-o", "-e", "-p", "-s", "-u", "-E", "-a"}},
		"watch":  {valued: []string{"-n", "--interval"}},
		"nohup":  {}, "setsid": {}, "exec": {valued: []string{"-a"}}, "command": {instead: []string{"-v", "-V"}}, "builtin": {}, "eval": {joined: true},
		"caffeinate": {valued: []string{"-t", "-w"}}, "winpty": {},
		"busybox": {}, "chronic": {}, "unbuffer": {}, "rlwrap": {}, "proxychains": {}, "proxychains4": {}, "setpriv": {}, "dbus-run-session": {}, "xvfb-run": {},
		"npx": npx, "pnpx": npx, "bunx": npx, "uvx": {packages: true, valued: python}, "corepack": {packages: true},
		"npm": dlx("exec", "x"), "pnpm": dlx("dlx", "exec"), "yarn": dlx("dlx", "exec"), "bun": dlx("x"),
		"pipx": {verbs: []string{"run"}, packages: true, valued: python}, "uv": {groups: []string{"tool"}, verbs: []string{"run"}, packages: true, valued: python},
		"poetry": {verbs: []string{"run"}}, "pipenv": {verbs: []string{"run"}}, "volta": {verbs: []string{"run"}, valued: []string{"--node"}},
		"node": {
			valued:  []string{"-r", "--require", "--import", "--loader", "-C", "--conditions", "--env-file"},
			instead: []string{"-e", "--eval", "-p", "--print", "-pe", "--run", "--test"},
		},
		"python": {valued: []string{"-W", "-X"}, instead: []string{"-c", "-m"}},
		"py":     {instead: []string{"-c", "-m"}},
		"ruby":   {valued: []string{"-r", "-I", "-C"}, instead: []string{"-e"}}, "perl": {valued: []string{"-I"}, instead: []string{"-e", "-E"}},
		"deno":   {verbs: []string{"run"}},
		"direnv": {verbs: []string{"exec"}, operands: 1},
		"cmd":    {slash: true},
		"pwsh":   {line: []string{"-c", "-Command"}}, "powershell": {line: []string{"-c", "-Command"}},
	}
	for _, name := range []string{"sh", "bash", "dash", "zsh", "ksh", "ash", "fish"} {
		all[name] = wrapper{line: command, valued: []string{"-o", "+o", "-O", "--rcfile", "--init-file"}, letters: true}
	}
	for _, name := range []string{"op", "doppler", "dotenv", "dotenvx", "infisical", "chamber", "aws-vault", "mise", "cpulimit"} {
		all[name] = wrapper{dashes: true}
	}
	all["gtimeout"] = all["timeout"]
	return all
})

// wrapperOf is the wrapper that a word starts; a version may stand behind its name, as Corepack
// takes it, or be a part of it, as in python3.12.
func wrapperOf(word string) (wrapper, bool) {
	name, _, _ := strings.Cut(baseName(word), "@")
	w, known := wrappers()[name]
	if !known {
		w, known = wrappers()[strings.TrimRight(name, "0123456789.")]
	}
	return w, known
}

// maxWrapped bounds how deep wrappers are followed.
const maxWrapped = 8

// follow lists the programs that words seem to start, and never reads a script. The words begin at an index of the command line; -1: they stand inside of one
// of its words.
func follow(words []string, at int, assigned []assignment, depth int) []program {
	if len(words) == 0 || depth == 0 {
		return nil
	}
	found := []program{{word: words[0], arguments: words[1:], at: at, assigned: assigned}}
	w, known := wrapperOf(words[0])
	if !known {
		return found
	}
	inner := w.skip(words)
	assigned = slices.Concat(assigned, inner.assigned)
	if inner.line != "" {
		for _, simple := range shellCommands(inner.line) {
			found = append(found, follow(simple.words, -1, slices.Concat(assigned, simple.assigned), depth-1)...)
		}
	}
	if inner.start == 0 {
		return found
	}
	if at >= 0 {
		at += inner.start
	}
	rest := follow(words[inner.start:], at, assigned, depth-1)
	if len(rest) > 0 {
		rest[0].isPackage = w.packages
	}
	return append(found, rest...)
}

// A wrapped is what a wrapper starts.
type wrapped struct {
	start    int    // index of the program's word; 0 where there is none
	line     string // of shell
	assigned []assignment
}

// skip finds where the program begins behind the wrapper's own words, or the line of shell that
// it was given.
func (w wrapper) skip(words []string) (found wrapped) {
	if w.late {
		for i, word := range words {
			if line, ok := w.lineAt(word, words[i+1:]); ok {
				return wrapped{line: line}
			}
		}
	}
	if w.dashes {
		if i := slices.Index(words, "--") + 1; i > 0 && i < len(words) {
			found.start = i
		}
		return found
	}
	if w.joined {
		return wrapped{line: strings.Join(words[1:], " ")}
	}
	verb := len(w.verbs) == 0
	for i := 1; i < len(words); i++ {
		word, following := words[i], words[i+1:]
		option := len(word) > 1 && (word[0] == '-' || word[0] == '+' && w.letters || word[0] == '/' && w.slash) || slices.Contains(w.clears, word)
		line, isLine := w.lineAt(word, following)
		name, unsets := w.unset(word, following)
		switch {
		case option && isLine:
			found.line = line
			return found
		case option && slices.Contains(w.instead, word):
			return found
		case slices.Contains(w.clears, word):
			found.assigned = append(found.assigned, assignment{name: anyVariable})
		case option && unsets:
			found.assigned = append(found.assigned, assignment{name: name})
			if slices.Contains(w.unsets, word) {
				i++
			}
		case option && slices.Contains(w.valued, word):
			i++
		case option:
		case w.assigns && isAssignment(word):
			found.assigned = append(found.assigned, assignmentOf(word))
		case !verb && slices.Contains(w.groups, word):
		case !verb && !slices.Contains(w.verbs, word):
			return found
		case !verb:
			verb = true
		default:
			if i += w.operands; i < len(words) {
				found.start = i
			}
			return found
		}
	}
	return found
}

// lineAt is the line of shell that begins at an option, or follows it.
func (w wrapper) lineAt(option string, following []string) (line string, ok bool) {
	if len(w.line) == 0 || len(option) < 2 || option[0] != '-' {
		return "", false
	}
	together := w.letters && option[1] != '-' && strings.HasSuffix(option, "c")
	if together || slices.Contains(w.line, option) {
		if len(following) == 0 {
			return "", true
		}
		return following[0], true
	}
	for _, name := range w.line {
		if line, ok = strings.CutPrefix(option, name+"="); ok && strings.HasPrefix(name, "--") {
			return line, true
		}
	}
	return "", false
}

// unset is the name of a variable that an option takes away.
func (w wrapper) unset(option string, following []string) (name string, ok bool) {
	for _, known := range w.unsets {
		switch rest, found := strings.CutPrefix(option, known); {
		case !found:
		case rest == "" && len(following) > 0:
			return following[0], true
		case rest != "":
			return strings.TrimPrefix(rest, "="), true
		}
	}
	return "", false
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
	for _, target := range started.targets {
		if p.is(program{word: target}) {
			return true
		}
	}
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
func (p *Profile) started(command Command) (program, bool) {
	for _, one := range command.programs {
		if p.is(one) {
			return one, true
		}
	}
	return program{}, false
}
