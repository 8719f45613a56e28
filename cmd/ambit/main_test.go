package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if name := filepath.Base(os.Args[0]); name == "xdg-open" || name == "open" {
		opens()
		return
	}
	testscript.Main(m, map[string]func(){"ambit": main, "visit": visit, "browse": browse, "fetch": fetch, "person": person, "caller": caller, "quill": quill, "drawer": drawer, "ambit-store-files": storeFiles})
}

// TestScripts runs each script of testdata through the real main, with a home and,
// where it asks for one, a sandbox of its own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata",
		UpdateScripts: testkit.Updating(),
		Setup:         ownHome,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"sandbox":    startSandbox,
			"shrink":     shrink,
			"expire":     expire,
			"requests":   requests,
			"requested":  requested,
			"collector":  startCollector,
			"arrived":    arrived,
			"jsonpath":   jsonPath,
			"mode":       mode,
			"take-ports": takePorts,
			"advertise":  advertise,
			"misbehave":  misbehave,
			"forget":     forget,
			"untrusted":  untrusted,
			"answers":    answers,
		},
	})
}

// ownHome keeps a script away from the settings, keys and stores of whoever runs it.
func ownHome(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, ".home")
	docs, err := filepath.Abs(filepath.Join(root, "docs"))
	if err != nil {
		return err
	}
	for _, pair := range [][2]string{
		{"HOME", home},
		{"DOCS", docs},
		{"XDG_CONFIG_HOME", filepath.Join(home, "config")},
		{"XDG_CACHE_HOME", filepath.Join(home, "cache")},
		{"XDG_STATE_HOME", filepath.Join(home, "state")},
		{"AMBIT_STORE", "file"},
		{"NO_COLOR", "1"},
		{"DBUS_SESSION_BUS_ADDRESS", "unix:path=" + filepath.Join(home, "no-bus")},
	} {
		env.Setenv(pair[0], pair[1])
	}
	return os.MkdirAll(home, 0o700)
}

// startSandbox is "sandbox [--grant G] [--region R] [KIND...]". It sets ISSUER, API,
// GATEWAY, MCP, MANIFEST, PROVIDER and a KEY_… for each key.
func startSandbox(ts *testscript.TestScript, _ bool, args []string) {
	o := sandbox.Options{Manifest: ambit.ExampleManifest, Dir: ts.MkAbs("sandbox")}
	ts.Check(os.MkdirAll(o.Dir, 0o700))
	for len(args) > 0 {
		switch {
		case args[0] == "--grant" && len(args) > 1:
			o.Grant, args = args[1], args[2:]
		case args[0] == "--region" && len(args) > 1:
			o.Region, args = args[1], args[2:]
		default:
			o.Misbehave, args = append(o.Misbehave, args[0]), args[1:]
		}
	}
	s, err := sandbox.Start(context.Background(), o)
	ts.Check(err)
	ts.Defer(func() { s.Close() })
	running.put(ts, s)
	text, err := json.Marshal(s.Ready())
	ts.Check(err)
	var ready map[string]any
	ts.Check(json.Unmarshal(text, &ready))
	for name, value := range ready {
		if text, ok := value.(string); ok {
			ts.Setenv(strings.ToUpper(name), text)
		}
	}
	for _, keys := range []string{"keys", "more_keys"} {
		for name, key := range ready[keys].(map[string]any) {
			ts.Setenv("KEY_"+strings.ToUpper(name), fmt.Sprint(key))
		}
	}
}

// shrink is "shrink SCOPE...": the server takes scopes away in mid-run.
func shrink(ts *testscript.TestScript, _ bool, args []string) { running.get(ts).Shrink(args...) }

// expire is "expire": every access token is at its end.
func expire(ts *testscript.TestScript, _ bool, _ []string) { running.get(ts).ExpireAll() }

// requests is "requests N [PART]": that many requests were served since the last
// such line, counting only those whose path contains PART.
func requests(ts *testscript.TestScript, _ bool, args []string) {
	part := ""
	if len(args) > 1 {
		part = args[1]
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var seen []string
	for _, r := range running.since(ts) {
		if line := r.Method + " " + r.Path; strings.Contains(line, part) {
			seen = append(seen, line)
		}
	}
	if len(seen) != want {
		ts.Fatalf("%d requests, want %d:\n%s", len(seen), want, strings.Join(seen, "\n"))
	}
}

// jsonPath is "jsonpath FILE PATH VALUE": the value at a.b.0.c, as JSON without blanks.
func jsonPath(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: jsonpath FILE PATH VALUE")
	}
	var value any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &value))
	for _, step := range strings.Split(args[1], ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			at, err := strconv.Atoi(step)
			if err != nil || at >= len(v) {
				ts.Fatalf("%s: no element %q", args[1], step)
			}
			value = v[at]
		default:
			value = nil
		}
	}
	text, err := json.Marshal(value)
	ts.Check(err)
	if got := string(text); (got == args[2]) == neg {
		ts.Fatalf("%s is %s, want %s", args[1], got, args[2])
	}
}

// mode is "mode PERM FILE": the file has these permissions.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	files, err := filepath.Glob(ts.MkAbs(args[1]))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("no file %s", args[1])
	}
	for _, f := range files {
		info, err := os.Stat(f)
		ts.Check(err)
		if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
			ts.Fatalf("%s has mode %s", f, got)
		}
	}
}

// storeFiles is the program of an external store. STORE_FILES_DIR is where it keeps files, and
// STORE_FILES_AILS what is the matter with it.
func storeFiles() {
	switch ail := os.Getenv("STORE_FILES_AILS"); ail {
	case "hangs":
		select {}
	case "garbage":
		fmt.Println("Segmentation fault \x1b[31m(core dumped)")
		os.Exit(0)
	case "away":
		fmt.Println(`{"v":1,"error":{"code":"unavailable","message":"redis.example.com:6379: connection \u001b[31mrefused"}}`)
		os.Exit(0)
	case "floods":
		for {
			if _, err := os.Stdout.Write(make([]byte, 1<<20)); err != nil {
				os.Exit(0)
			}
		}
	case "dies":
		fmt.Fprintln(os.Stderr, "panic: \x1b[31mno such host")
		os.Exit(3)
	case "tells":
		fmt.Fprintln(os.Stderr, "the certificate of redis.example.com \x1b[31mexpires tomorrow")
	case "no-lease-now":
		if os.Args[len(os.Args)-1] == "lease" {
			fmt.Println(`{"v":1,"error":{"code":"unavailable"}}`)
			os.Exit(0)
		}
	case "asks": // whether it may write
		if operation := os.Args[len(os.Args)-1]; operation == "put" || operation == "swap" {
			if c, err := net.Dial("tcp", os.Getenv("STORE_FILES_ASKS")); err == nil {
				_, _ = io.Copy(io.Discard, c)
			}
		}
	case "mute": // about what it wrote
		if os.Args[len(os.Args)-1] == "put" {
			os.Exit(storetest.Helper(os.Args, os.Stdin, io.Discard))
		}
	case "keeps": // what is to go
		if os.Args[len(os.Args)-1] == "delete" {
			fmt.Println(`{"v":1,"error":{"code":"unavailable"}}`)
			os.Exit(0)
		}
	case "strange": // it has the record of another server
		var out strings.Builder
		code := storetest.Helper(os.Args, os.Stdin, &out)
		fmt.Print(strings.ReplaceAll(out.String(), `"iss":"`, `"iss":"other-`))
		os.Exit(code)
	case "environment":
		for _, name := range []string{"AMBIT_API_KEY", "POSTHOG_PERSONAL_API_KEY", "POSTHOG_API_KEY"} {
			if os.Getenv(name) != "" {
				fmt.Fprintln(os.Stderr, "it sees", name)
			}
		}
	}
	os.Exit(storetest.Helper(os.Args, os.Stdin, os.Stdout))
}

// visit is a browser for scripts: it opens a URL, follows where that leads, and
// writes the last page into the file that VISITED names. With "--as ADDRESS" that person sits
// before it.
func visit() {
	target := os.Args[len(os.Args)-1]
	if u, err := url.Parse(target); err == nil && len(os.Args) > 3 && os.Args[1] == "--as" {
		query := u.Query()
		query.Set("login_hint", os.Args[2])
		u.RawQuery = query.Encode()
		target = u.String()
	}
	answer, err := http.Get(target)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	page, err := io.ReadAll(answer.Body)
	if err == nil {
		err = visited(page)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// takePorts is "take-ports": another program listens on every redirect port that the
// sandbox's provider file registers.
func takePorts(ts *testscript.TestScript, _ bool, _ []string) {
	text := ts.ReadFile(ts.Getenv("PROVIDER"))
	p, err := provider.Decode("provider.yaml", []byte(text))
	ts.Check(err)
	for _, port := range p.Client.Redirect.Ports {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		for tries := 0; errors.Is(err, syscall.EADDRINUSE) && tries < 500; tries++ { // a login of another test has it for a moment
			<-time.After(10 * time.Millisecond)
			l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		}
		ts.Check(err)
		ts.Defer(func() { l.Close() })
	}
}

// advertise is "advertise +SCOPE... -SCOPE...": the metadata changes, and every cached
// document is at its end.
func advertise(ts *testscript.TestScript, _ bool, args []string) {
	var add, remove []string
	for _, arg := range args {
		if scope, ok := strings.CutPrefix(arg, "+"); ok {
			add = append(add, scope)
		} else {
			remove = append(remove, strings.TrimPrefix(arg, "-"))
		}
	}
	running.get(ts).Advertise(add, remove)
	ts.Check(os.RemoveAll(ts.MkAbs(".home/cache")))
}

// forget is "forget": the server forgets every client that registered itself.
func forget(ts *testscript.TestScript, _ bool, _ []string) { running.get(ts).ForgetClients() }

// misbehave is "misbehave KIND...": the server behaves so from now on.
func misbehave(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(running.get(ts).Misbehave(args...))
}

// untrusted is "untrusted": a server of this machine whose certificate nobody has signed.
// It sets UNTRUSTED to its URL.
func untrusted(ts *testscript.TestScript, _ bool, _ []string) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	ts.Defer(s.Close)
	ours(ts, s)
	ts.Setenv("UNTRUSTED", s.URL)
}
