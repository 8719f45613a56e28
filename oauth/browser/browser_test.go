package browser_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/oauth/browser"
)

const workerVariable = "AMBIT_BROWSER_TEST_WORKER"

// TestMain is also the main of the browsers.
func TestMain(m *testing.M) {
	if role := os.Getenv(workerVariable); role != "" {
		os.Exit(workBrowser(role))
	}
	os.Exit(m.Run())
}

// workBrowser is a browser that prints its arguments, fails, or says its process id and
// stays open until someone connects to it.
func workBrowser(role string) int {
	switch role {
	case "fail":
		return 3
	case "stay":
		fmt.Printf("%d\n", os.Getpid())
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err == nil {
			_, _ = listener.Accept()
		}
		return 0
	}
	fmt.Printf("%q\n", os.Args[1:])
	return 0
}

const pageURL = "https://auth.example.com/authorize?a=b&c=$HOME;echo+x"

func TestBrowserCommand(t *testing.T) {
	t.Setenv(workerVariable, "print")
	var out bytes.Buffer
	command := fmt.Sprintf(`"%s" --new "two words" '$HOME' `, filepath.ToSlash(os.Args[0]))
	if err := (browser.Opener{Command: command, Output: &out}).Open(t.Context(), pageURL); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%q\n", []string{"--new", "two words", "$HOME", pageURL})
	if out.String() != want {
		t.Errorf("it was started with %s want %s", out.String(), want)
	}
}

func TestBrowserCommandFails(t *testing.T) {
	t.Setenv(workerVariable, "fail")
	for name, command := range map[string]string{
		"it fails":        filepath.ToSlash(os.Args[0]),
		"not there":       "no-such-program-anywhere",
		"an open quote":   `firefox "x`,
		"nothing but air": " ",
	} {
		err := browser.Opener{Command: command}.Open(t.Context(), pageURL)
		if err == nil || !strings.Contains(err.Error(), strconv.Quote(command)) || strings.Contains(err.Error(), pageURL) {
			t.Errorf("%s: %v", name, err)
		}
		checked := browser.Opener{Command: command}.Check()
		if (checked == nil) != (name == "it fails") {
			t.Errorf("%s: Check() = %v", name, checked)
		}
	}
}

func TestBrowserCommandEndsWithTheContext(t *testing.T) {
	t.Setenv(workerVariable, "stay")
	ctx, cancel := context.WithCancel(t.Context())
	out := writer(func() { cancel() }) // it runs
	begun := time.Now()
	err := browser.Opener{Command: filepath.ToSlash(os.Args[0]), Output: out}.Open(ctx, pageURL)
	if !errors.Is(err, context.Canceled) || time.Since(begun) > 10*time.Second {
		t.Errorf("err = %v after %s", err, time.Since(begun))
	}
}

// writer calls itself for each write.
type writer func()

func (w writer) Write(p []byte) (int, error) { w(); return len(p), nil }

// A page that has served its purpose stays open.
func TestBrowserStaysOpen(t *testing.T) {
	t.Setenv(workerVariable, "stay")
	fromBrowser, toTest, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer fromBrowser.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	opened := make(chan int, 1)
	go func() {
		var pid int
		_, _ = fmt.Fscan(fromBrowser, &pid) // it is open
		opened <- pid
		cancel(browser.ErrDone)
	}()
	err = browser.Opener{Command: filepath.ToSlash(os.Args[0]), Output: toTest}.Open(ctx, pageURL)
	if !errors.Is(err, browser.ErrDone) {
		t.Errorf("err = %v", err)
	}
	toTest.Close()
	process, err := os.FindProcess(<-opened)
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Kill(); err != nil {
		t.Errorf("the browser was closed: %v", err)
	}
	if _, err := io.ReadAll(fromBrowser); err != nil { // to its end
		t.Error(err)
	}
}

// Of the commands of BROWSER the next one is tried where one is not there or fails.
func TestBrowserList(t *testing.T) {
	t.Setenv(workerVariable, "print")
	if os.PathListSeparator != ':' {
		t.Skip("paths have colons here")
	}
	var out bytes.Buffer
	opener := browser.Opener{Command: "no-such-program-anywhere:false:" + os.Args[0] + " --url=%s", List: true, Output: &out}
	if err := opener.Open(t.Context(), "https://x.example/"); err != nil || out.String() != "[\"--url=https://x.example/\"]\n" {
		t.Errorf("%v: %s", err, out.String())
	}
	if err := opener.Check(); err != nil {
		t.Error(err)
	}
	none := browser.Opener{Command: "no-such-program-anywhere:nor-this", List: true}
	if err := none.Open(t.Context(), "https://x.example/"); err == nil || !strings.Contains(err.Error(), "nor-this") || none.Program() != "" {
		t.Error(err)
	}
}
