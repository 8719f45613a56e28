package files_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/testkit"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("0123456789"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		testkit.Lacks(t, "this system makes no links")
	}
	for name, c := range map[string]struct {
		path string
		rule files.Rule
		says string // part of the error; "" for none
	}{
		"as large as it may be":     {file, files.Rule{Limit: 10}, ""},
		"one byte too large":        {file, files.Rule{Limit: 9}, "file: it is larger than 9 bytes"},
		"a link":                    {link, files.Rule{Limit: 10}, "is a symbolic link"},
		"a link that is followed":   {link, files.Rule{Limit: 10, Links: true}, ""},
		"open to others":            {file, files.Rule{Limit: 10, Forbidden: files.OthersMode}, "(mode 0644)"},
		"a directory":               {dir, files.Rule{Limit: 10}, "it is not a regular file"},
		"a directory for a stream":  {dir, files.Rule{Limit: 10, Streams: true}, "it is not a regular file"},
		"a directory for a private": {dir, files.Rule{Limit: 10, Forbidden: files.OthersWrite}, "is not a regular file"},
	} {
		text, err := files.Read(c.path, c.rule)
		if c.says == "" && (err != nil || string(text) != "0123456789") {
			t.Errorf("%s: %q, %v", name, text, err)
		}
		if c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says) || text != nil) {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	if _, err := files.Read(filepath.Join(dir, "none"), files.Rule{Limit: 1}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not there: %v", err)
	}
}

// A device that never ends is not opened, unless someone hands it over.
func TestDevices(t *testing.T) {
	info, err := os.Stat(os.DevNull)
	if err != nil || info.Mode().IsRegular() {
		testkit.Lacks(t, "this system has no such device")
	}
	if _, err := files.Read(os.DevNull, files.Rule{Limit: 1, Links: true}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Error(err)
	}
	if text, err := files.Read(os.DevNull, files.Rule{Limit: 1, Streams: true}); err != nil || len(text) != 0 {
		t.Errorf("%q, %v", text, err)
	}
}

func TestReadAllAndHead(t *testing.T) {
	if _, err := files.ReadAll(strings.NewReader("12345"), 4); !errors.Is(err, files.TooLargeError(4)) {
		t.Errorf("cut in silence: %v", err)
	}
	broken := io.MultiReader(strings.NewReader("123"), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := files.ReadAll(broken, 4); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("err = %v", err)
	}
	broken = io.MultiReader(strings.NewReader("123"), iotest.ErrReader(io.ErrUnexpectedEOF))
	if got := files.Head(broken, 2); !bytes.Equal(got, []byte("12")) {
		t.Errorf("head %q", got)
	}
}
