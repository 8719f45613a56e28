package oauth_test

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

	"github.com/ambit-auth/ambit/oauth"
)

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
	if err := (oauth.Browser{Command: command, Output: &out}).Open(t.Context(), pageURL); err != nil {
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
		err := oauth.Browser{Command: command}.Open(t.Context(), pageURL)
		if err == nil || !strings.Contains(err.Error(), strconv.Quote(command)) || strings.Contains(err.Error(), pageURL) {
			t.Errorf("%s: %v", name, err)
		}
		checked := oauth.Browser{Command: command}.Check()
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
	err := oauth.Browser{Command: filepath.ToSlash(os.Args[0]), Output: out}.Open(ctx, pageURL)
	if !errors.Is(err, context.Canceled) || time.Since(begun) > 10*time.Second {
		t.Errorf("err = %v after %s", err, time.Since(begun))
	}
}

// writer calls itself for each write.
type writer func()

func (w writer) Write(p []byte) (int, error) { w(); return len(p), nil }

// A login that ends by itself neither waits for the browser nor closes it.
func TestLoginLeavesTheBrowserOpen(t *testing.T) {
	t.Setenv(workerVariable, "stay")
	server, person := newAuthServer(t), newPerson(t)
	login := newLogin(server, person)
	fromBrowser, toTest, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer fromBrowser.Close()
	opened := make(chan int, 1)
	login.UI.Open = func(ctx context.Context, startURL, authorizationURL string) error {
		go func() {
			var pid int
			_, _ = fmt.Fscan(fromBrowser, &pid) // it is open
			opened <- pid
			_ = person.open(ctx, startURL, authorizationURL)
		}()
		defer toTest.Close()
		return oauth.Browser{Command: filepath.ToSlash(os.Args[0]), Output: toTest}.Open(ctx, authorizationURL)
	}
	if _, err := login.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	browser, err := os.FindProcess(<-opened)
	if err != nil {
		t.Fatal(err)
	}
	if err := browser.Kill(); err != nil {
		t.Errorf("the browser was closed: %v", err)
	}
	if _, err := io.ReadAll(fromBrowser); err != nil { // to its end
		t.Error(err)
	}
}
