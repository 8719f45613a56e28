//go:build unix

package files_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ambit-auth/ambit/internal/files"
)

// A pipe that nobody writes into would hold whoever opens it for ever.
func TestPipeIsNotOpened(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, rule := range []files.Rule{{Limit: 1}, {Limit: 1, Links: true}, {Limit: 1, Forbidden: files.OthersMode}} {
		if _, err := files.Read(pipe, rule); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%+v: %v", rule, err)
		}
	}
	go func() {
		if writer, err := os.OpenFile(pipe, os.O_WRONLY, 0); err == nil {
			_, _ = writer.WriteString("a key")
			_ = writer.Close()
		}
	}()
	if text, err := files.Read(pipe, files.Rule{Limit: 10, Streams: true}); err != nil || string(text) != "a key" {
		t.Errorf("%q, %v", text, err)
	}
}

// Whoever waits for the other end of a pipe can be told to stop.
func TestPipeIsLeft(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ended := errors.New("ended")
	ctx, end := context.WithCancelCause(t.Context())
	_, err := files.While(ctx, func() ([]byte, error) {
		end(ended)
		return files.Read(pipe, files.Rule{Limit: 10, Streams: true})
	})
	if !errors.Is(err, ended) {
		t.Errorf("%v", err)
	}
	if writer, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
		writer.Close() // whoever opens it still
	}
}
