package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/scopes"
)

// nextSteps are the commands and links that mend a gap.
func nextSteps(p *project, h *held, gap scopes.Gap) []string {
	if len(gap.Lost) == 0 {
		return nil
	}
	if h.kind.Create == "" && h.grant.Credential.Kind == scopes.OAuthToken {
		return []string{loginAgain(p) + " (and leave the boxes ticked)"}
	}
	boxes := "make a key that also has: " + strings.Join(gap.Missing.At(scopes.Optional), ", ")
	if link, ok := h.server.Expand(h.kind.Create); ok && link != "" {
		boxes += "; at " + link
	}
	return []string{boxes}
}

// loginAgain is the command that asks for everything anew: a refresh cannot widen
// a grant (RFC 6749 §6).
func loginAgain(p *project) string {
	words := []string{"ambit login"}
	if p.manifest.File != manifestName {
		words = append(words, "-f "+shellWord(p.manifest.File))
	}
	if p.chosen && p.server.Name != p.manifest.Server {
		words = append(words, "--server "+shellWord(p.server.Name))
	}
	for _, program := range p.programs {
		words = append(words, "--program "+shellWord(program))
	}
	return strings.Join(words, " ")
}

// shellWord quotes a word where a shell would not take it as one.
func shellWord(word string) string {
	safe := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:@%+=,", c)
	}
	if word != "" && strings.IndexFunc(word, func(c rune) bool { return !safe(c) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(plain(word), "'", `'\''`) + "'"
}

// required are the lines that name what is missing and must not be: where the
// manifest asks for it, and what for.
func missingLines(gap scopes.Gap, level scopes.Level) []string {
	var lines []string
	for _, e := range gap.Lost {
		if e.Level >= level {
			lines = append(lines, fmt.Sprintf("%s: %s scope %s is not granted: %s", place(e.File, e.Line), e.Level, e.Name(), why(e)))
		}
	}
	return slices.Clip(lines)
}
