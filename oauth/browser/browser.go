// Package browser shows a person a page: by the command of their choice, or the system's own browser.
package browser

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	systems "github.com/pkg/browser"
)

// An Opener shows people a page.
//
// The URL stands on the command line of another program, where every user of the
// machine can read it. An authorization URL may: it holds no secret, and its state helps nobody whom
// the listener does not hear. So may the address of a page that is shown once.
type Opener struct {
	// Command is split as shell words, without a shell. The URL takes the place of %s, or is
	// appended; %% is a percent sign. "" is the system's own browser.
	Command string
	// List says that Command is a value of BROWSER: several commands, between colons (on Windows,
	// semicolons), of which the first that works is used.
	List bool
	// Output is where standard output and standard error of Command go: never our
	// standard output, which holds results. nil: nowhere. Give a file where the command
	// may outlive this program; another writer is fed through a pipe, which then breaks.
	Output io.Writer
}

// ErrDone is the cause with which a context ends when the page has served its purpose: what was
// opened stays open.
var ErrDone = errors.New("the login is over")

// environmentKey is that of the environment in a context.
type environmentKey struct{}

// WithEnvironment is ctx for an [Opener] whose Command gets this environment, and not that of this
// process: one without secrets.
func WithEnvironment(ctx context.Context, environ []string) context.Context {
	return context.WithValue(ctx, environmentKey{}, environ)
}

// commandError names a browser command that cannot be run, or that failed.
func commandError(command string, err error) error {
	return fmt.Errorf("the command %q: %w", command, err)
}

// Check returns why Command cannot be run: it cannot be split, or its program is not there.
func (o Opener) Check() error {
	_, err := o.first(func(command string) error {
		_, err := o.prepare(command, "")
		return err
	})
	return err
}

// Program is the name of the program that Command begins with, without its directory; "" where there is none.
func (o Opener) Program() string {
	command, err := o.first(func(command string) error {
		_, err := o.prepare(command, "")
		return err
	})
	words, _ := wordsOf(command, "")
	if err != nil || len(words) == 0 {
		return ""
	}
	return filepath.Base(words[0])
}

// Open shows url. With a Command it returns when that ends (with an error
// if it failed), or when ctx does: a command that is still running then is ended, unless
// the cause is [ErrDone].
func (o Opener) Open(ctx context.Context, url string) error {
	if o.Command == "" {
		return openSystems(ctx, url)
	}
	_, err := o.first(func(command string) error { return o.run(ctx, command, url) })
	return err
}

// first is the first command with which use works. The error is that of the last one.
func (o Opener) first(use func(command string) error) (command string, err error) {
	commands := []string{o.Command}
	if o.List {
		commands = commandsOf(o.Command)
	}
	err = commandError(o.Command, errors.New("it is empty"))
	for _, command := range commands {
		if err = use(command); err == nil {
			return command, nil
		}
	}
	return "", err
}

func (o Opener) run(ctx context.Context, command, url string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	cmd, err := o.prepare(command, url)
	if err != nil {
		return err
	}
	cmd.Env, _ = ctx.Value(environmentKey{}).([]string)
	if err := cmd.Start(); err != nil {
		return commandError(command, err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			return commandError(command, err)
		}
		return nil
	case <-ctx.Done():
		if !errors.Is(context.Cause(ctx), ErrDone) {
			_ = cmd.Process.Kill() // it may have ended in this moment
			<-done
		}
		return context.Cause(ctx)
	}
}

func (o Opener) prepare(command, url string) (*exec.Cmd, error) {
	words, err := wordsOf(command, url)
	if err != nil {
		return nil, commandError(command, err)
	}
	cmd := exec.Command(words[0], words[1:]...)
	if cmd.Err != nil {
		return nil, commandError(command, cmd.Err)
	}
	cmd.Stdout, cmd.Stderr = o.Output, o.Output
	return cmd, nil
}

// Invitation is what a person reads while a page opens: whatever opens it may show nothing, and ends
// well all the same. opening says what is done for them; "" where nothing is. paste says that they
// can paste where the page ended. The URL follows, for the machine on which they are.
func Invitation(opening string, paste bool) string {
	switch {
	case opening == "" && paste:
		return "open this URL in a browser, then paste the final URL or the code here"
	case opening == "":
		return "open this URL in a browser"
	case paste:
		return opening + "; or open this URL and paste the result here"
	}
	return opening + "; or open this URL"
}

// openSystems does not wait longer than ctx for what opens the page: the first window
// of a browser may keep it until the person closes that.
func openSystems(ctx context.Context, url string) error {
	silence()
	done := make(chan error, 1)
	go func() { done <- systems.OpenURL(url) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// silence points the output of pkg/browser at the null device, once, since it is a
// variable of that package. A pipe would break when this program ends, and take a
// browser that writes a warning with it.
var silence = sync.OnceFunc(func() {
	systems.Stdout, systems.Stderr = io.Discard, io.Discard
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		systems.Stdout, systems.Stderr = null, null
	}
})
