package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"

	"github.com/google/shlex"
	"github.com/pkg/browser"
)

// A Browser shows people a page.
//
// The URL stands on the command line of another program, where every user of the
// machine can read it. An authorization URL may: it holds no secret, only values that
// serve for one run and are of no use without the verifier and the listener.
type Browser struct {
	// Command is split as shell words, without a shell, and the URL is appended. "" is
	// the system's own browser.
	Command string
	// Output is where standard output and standard error of Command go: never our
	// standard output, which holds results. nil: nowhere. Give a file where the command
	// may outlive this program; another writer is fed through a pipe, which then breaks.
	Output io.Writer
}

// commandError names a browser command that cannot be run, or that failed.
func (b Browser) commandError(err error) error {
	return fmt.Errorf("the command %q: %w", b.Command, err)
}

// Check returns why Command cannot be run: it cannot be split, or its program is not there.
func (b Browser) Check() error {
	_, err := b.command("")
	return err
}

// Open shows url. With a Command it returns when that ends (with an error
// if it failed), or when ctx does: a command that is still running then is ended, unless it
// is the end of a [Login], which leaves the person's browser open.
func (b Browser) Open(ctx context.Context, url string) error {
	if b.Command == "" {
		return openSystems(ctx, url)
	}
	cmd, err := b.command(url)
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return b.commandError(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			return b.commandError(err)
		}
		return nil
	case <-ctx.Done():
		if !errors.Is(context.Cause(ctx), errLoginOver) {
			_ = cmd.Process.Kill() // it may have ended in this moment
			<-done
		}
		return context.Cause(ctx)
	}
}

func (b Browser) command(url string) (*exec.Cmd, error) {
	words, err := shlex.Split(b.Command)
	if err == nil && len(words) == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, b.commandError(err)
	}
	cmd := exec.Command(words[0], append(words[1:], url)...)
	if cmd.Err != nil {
		return nil, b.commandError(cmd.Err)
	}
	cmd.Stdout, cmd.Stderr = b.Output, b.Output
	return cmd, nil
}

// openSystems does not wait longer than ctx for what opens the page: the first window
// of a browser may keep it until the person closes that.
func openSystems(ctx context.Context, url string) error {
	silence()
	done := make(chan error, 1)
	go func() { done <- browser.OpenURL(url) }()
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
	browser.Stdout, browser.Stderr = io.Discard, io.Discard
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		browser.Stdout, browser.Stderr = null, null
	}
})
