package ambit

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/oauth"
	"golang.org/x/term"
)

// Terminal is the person at this process's standard input and error, if someone is there:
// where they are not terminals, or CI is set, it only says notes. It opens the browser that
// BROWSER names, or else the system's, and takes what is pasted.
func Terminal() UI {
	ui := UI{Note: func(sentence string) { fmt.Fprintln(os.Stderr, sentence) }}
	env := settings.Environment(os.Environ())
	if env.InCI() || !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stderr.Fd())) {
		return ui
	}
	lines := make(chan string)
	begin := sync.OnceFunc(func() { go readLines(os.Stdin, lines) })
	ui.Paste = func() <-chan string { begin(); return lines }
	ui.Ask = func(ctx context.Context, question string) (bool, error) {
		begin()
		fmt.Fprint(os.Stderr, question+" [y/N] ")
		select {
		case answer := <-lines:
			answer = strings.ToLower(strings.TrimSpace(answer))
			return answer == "y" || answer == "yes", nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	browser := oauth.Browser{Command: env.Get("BROWSER"), Output: os.Stderr}
	ui.Open = func(ctx context.Context, startURL, authorizationURL string) error {
		fmt.Fprintf(os.Stderr, "opening your browser; if none appears, visit %s\n", startURL)
		if browser.Command != "" {
			startURL = authorizationURL
		}
		return browser.Open(ctx, startURL)
	}
	return ui
}

// readLines reads for the whole process: a read from a terminal cannot be taken back.
func readLines(from io.Reader, lines chan<- string) {
	defer close(lines)
	scanner := bufio.NewScanner(from)
	scanner.Buffer(nil, maxPasted)
	for scanner.Scan() {
		lines <- scanner.Text()
	}
}

// maxPasted bounds a line from a person, in bytes: a URL at which a browser ended.
const maxPasted = 1 << 20
