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
	"github.com/ambit-auth/ambit/oauth/browser"
	"golang.org/x/term"
)

// Terminal is the person at this process's standard input and error, if someone is there:
// where they are not terminals, or CI is set, it only says notes. It opens the browser that
// BROWSER names, or else the system's, and takes what is pasted; where no page can be shown, as over
// SSH, it shows a code for another device, if the server offers that.
func Terminal() UI {
	ui := UI{Note: func(sentence string) { fmt.Fprintln(os.Stderr, sentence) }}
	env := settings.Environment(os.Environ())
	if env.InCI() || !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stderr.Fd())) {
		return ui
	}
	lines := make(chan string)
	begin := sync.OnceFunc(func() { go readLines(os.Stdin, lines) })
	ui.Paste = func() (<-chan string, func()) { begin(); return lines, func() {} }
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
	ui.Code = func(_ context.Context, code oauth.DeviceCode) {
		fmt.Fprintf(os.Stderr, "to log in, open %s on any device, and enter the code %s\n", code.URL, code.UserCode)
	}
	if env.Get("BROWSER") == "" {
		ui.Remote = env.Remote()
	}
	opener := browser.Opener{Command: env.Get("BROWSER"), List: true, Output: os.Stderr}
	ui.Open = func(ctx context.Context, startURL, authorizationURL string) error {
		fmt.Fprintf(os.Stderr, "%s:\n%s\n", browser.Invitation("opening your browser", true), authorizationURL)
		if opener.Command != "" {
			startURL = authorizationURL
		}
		return opener.Open(ctx, startURL)
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
