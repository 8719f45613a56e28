package browser

import (
	"errors"
	"os"
	"strings"

	"github.com/google/shlex"
)

// urlMark is where the URL goes in the words of a command; %% is a percent sign.
const urlMark = "%s"

// commandsOf are the commands of a value of BROWSER, in the order in which they are tried: a list
// as PATH is one. A path that exists is one command, whatever is in it.
func commandsOf(list string) []string {
	if isFile(strings.TrimSpace(list)) {
		return []string{list}
	}
	var commands []string
	quote, from := byte(0), 0
	for i := range len(list) {
		switch b := list[i]; {
		case quote != 0 && b == quote:
			quote = 0
		case quote == 0 && (b == '"' || b == '\''):
			quote = b
		case quote == 0 && b == os.PathListSeparator && !strings.HasPrefix(list[i+1:], "//"): // of a URL
			commands, from = append(commands, list[from:i]), i+1
		}
	}
	var some []string
	for _, command := range append(commands, list[from:]) {
		if strings.TrimSpace(command) != "" {
			some = append(some, command)
		}
	}
	return some
}

// wordsOf are the words of a command with the URL in its place: for %s, or behind the last one.
// A path with spaces that exists is a word without quotes, and a final & of a shell's line, with
// which the browser would stay open behind it, is left out: it stays open anyway.
func wordsOf(command, url string) ([]string, error) {
	command = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(command), "&"))
	program, rest := pathWithSpaces(command)
	words, err := shlex.Split(rest)
	if err != nil {
		return nil, err
	}
	if program != "" {
		words = append([]string{program}, words...)
	}
	if len(words) == 0 {
		return nil, errors.New("it is empty")
	}
	placed := false
	for i, word := range words[1:] {
		placed = placed || strings.Contains(strings.ReplaceAll(word, "%%", ""), urlMark)
		words[i+1] = strings.NewReplacer("%%", "%", urlMark, inWord(word, url)).Replace(word)
	}
	if !placed {
		words = append(words, url)
	}
	return words, nil
}

// inWord is the URL for its place in a word: one that stands in more than that may be read by a
// shell, for which a server could have put a command into it.
func inWord(word, url string) string {
	if word == urlMark {
		return url
	}
	return strings.NewReplacer("'", "%27", `"`, "%22", "`", "%60", "$", "%24", `\`, "%5C", "(", "%28", ")", "%29", ";", "%3B", "|", "%7C", "<", "%3C", ">", "%3E").Replace(url)
}

// pathWithSpaces is the longest beginning of a command that is the path of a file, where it has a
// space in it; "" where there is none.
func pathWithSpaces(command string) (program, rest string) {
	if strings.ContainsAny(command[:min(1, len(command))], `"'`) {
		return "", command
	}
	for end := len(command); end > 0; end = strings.LastIndexByte(command[:end], ' ') {
		if path := strings.TrimRight(command[:end], " "); strings.Contains(path, " ") && isFile(path) {
			return path, command[end:]
		}
	}
	return "", command
}

func isFile(path string) bool {
	if !strings.ContainsAny(path, `/\`) {
		return false // a name is looked for in PATH
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
