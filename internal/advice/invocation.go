package advice

import (
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// An Invocation is what leads a command of this program to the same manifest, server and
// programs. The zero value is that of a command without flags.
type Invocation struct {
	Manifest string   // its path; "" where a command finds it by itself
	Server   string   // as the user named it; "" where nobody did
	Account  string   // the same
	Programs []string // as the user named them
}

// at is the same at another server.
func (i Invocation) at(server string) Invocation {
	i.Server = server
	return i
}

// For is the same for another account.
func (i Invocation) For(account string) Invocation {
	i.Account = account
	return i
}

// Command is a command, such as "login", with the flags that it takes.
func (i Invocation) Command(name string) string {
	words := []string{"ambit " + name}
	if i.Manifest != "" {
		words = append(words, "-f "+ShellWord(i.Manifest))
	}
	if i.Server != "" {
		words = append(words, "--server "+ShellWord(i.Server))
	}
	if i.Account != "" {
		words = append(words, "--account "+ShellWord(i.Account))
	}
	for _, program := range i.Programs {
		words = append(words, "--program "+ShellWord(program))
	}
	return strings.Join(words, " ")
}

// Correct is the way out of a scope that its server does not know, with those that were likely meant. Only where
// none was is there talk of advertised: false: whoever says that of a slip has silenced it.
func (i Invocation) Correct(near []string) Step {
	s := Step{Text: "correct the scope, or say advertised: false if the server grants it all the same; see what it offers", Command: i.Command("scopes")}
	if len(near) > 0 {
		s.Text = "correct the scope in the manifest; see what the server offers"
	}
	return s
}

// ShellWord quotes a word where a shell would not take it as one.
func ShellWord(word string) string {
	safe := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:@%+=,", c)
	}
	if word != "" && strings.IndexFunc(word, func(c rune) bool { return !safe(c) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(text.Printable(word), "'", `'\''`) + "'"
}

// RegisterClient is what to do where a login needs a client that its server does not register by itself.
func RegisterClient(p *provider.Provider, redirect provider.Redirect) string {
	first := "register a client there with the redirect URI " + redirect.String() + ", and name its id"
	if p.File != "" && p.File == p.Name { // it has a place for a client
		return first + " in " + text.Line(p.File) + ": client: {id: YOUR-CLIENT-ID}"
	}
	return first + ": provider: {use: " + text.Line(p.Name) + ", client: {id: YOUR-CLIENT-ID}}"
}
