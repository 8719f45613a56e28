package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/chromedp/chromedp"
	"github.com/rogpeppe/go-internal/testscript"
)

// A serverKind is an authorization server that nobody here wrote, and what starts it. The scripts
// that a login at such a server has to pass stand beside the program that sets it up.
type serverKind struct {
	name    string // for people
	command string
	program string // in testdata
}

var (
	oidcProvider = serverKind{"npm's oidc-provider", "node", "oidc-provider/server.mjs"}
	// Debian's own interpreter is the one that finds Debian's packages.
	djangoOAuthToolkit = serverKind{"Debian's python3-django-oauth-toolkit", "/usr/bin/python3", "django-oauth-toolkit/server.py"}
)

// TestRealOIDCProvider runs the scripts for npm's oidc-provider.
func TestRealOIDCProvider(t *testing.T) {
	t.Parallel() // much of it is waiting
	oidcProvider.scripts(t)
}

// TestRealDjangoOAuthToolkit runs the scripts for Debian's Django OAuth Toolkit.
func TestRealDjangoOAuthToolkit(t *testing.T) {
	t.Parallel()
	djangoOAuthToolkit.scripts(t)
}

// find skips a test where the server is not installed, or fails it where AMBIT_TEST_PARTS says that
// every part must be there.
func (k serverKind) find(t *testing.T) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), k.command, filepath.Join("testdata", k.program)).CombinedOutput()
	ended, ran := errors.AsType[*exec.ExitError](err)
	switch {
	case ran && ended.ExitCode() == notInstalled, err != nil && !ran:
		testkit.Lacks(t, k.name+" is not installed: no login is tried at it here")
	case err != nil:
		t.Fatalf("%s: %v\n%s", k.program, err, out)
	}
}

// notInstalled is how a program ends that does not find the server: EX_UNAVAILABLE of sysexits.
const notInstalled = 69

func (k serverKind) scripts(t *testing.T) {
	k.find(t)
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", filepath.Dir(k.program)),
		UpdateScripts: testkit.Updating(),
		Setup: func(env *testscript.Env) error {
			env.Values["server"] = &realServer{serverKind: k, directory: env.WorkDir}
			return ownHome(env)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server":   startServer,
			"restart":  restartServer,
			"requests": serverRequests,
			"call":     callServer,
			"jsonpath": jsonPath,
		},
	})
}

// A realServer runs as a process of its own, on a socket that this one holds: its address stays
// the same when it is started again.
type realServer struct {
	serverKind
	directory string // for what it keeps
	options   []string
	issuer    string
	listener  *net.TCPListener
	process   *exec.Cmd
	wrote     *syncBuffer
}

func (f *realServer) listen() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	f.listener = l.(*net.TCPListener)
	return nil
}

// host is the host and the port of the server's URLs.
func (f *realServer) host() string { return f.listener.Addr().String() }

// start begins the process, and waits until it is ready.
func (f *realServer) start() error {
	socket, err := f.listener.File()
	if err != nil {
		return err
	}
	defer socket.Close()
	program, err := filepath.Abs(filepath.Join("testdata", f.program))
	if err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(f.host())
	f.process, f.wrote = exec.Command(f.command, append([]string{program, port}, f.options...)...), &syncBuffer{}
	f.process.Dir, f.process.ExtraFiles, f.process.Stderr = f.directory, []*os.File{socket}, f.wrote
	ready, err := f.process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := f.process.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(ready).ReadString('\n')
	if err != nil {
		return errors.Join(f.stop(), errors.New("the server did not start:\n"+f.wrote.String()))
	}
	f.issuer = strings.TrimSpace(line)
	return nil
}

func (f *realServer) stop() error {
	err := f.process.Process.Kill()
	_ = f.process.Wait() // killed
	return err
}

// get asks the server, as an API with a token or for what was asked of it.
func (f *realServer) get(method, path, token string) (status int, body string, err error) {
	request, err := http.NewRequest(method, "http://"+f.host()+path, nil)
	if err != nil {
		return 0, "", err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

func serverOf(ts *testscript.TestScript) *realServer {
	return ts.Value("server").(*realServer)
}

// startServer is "server [OPTION...]". It sets ISSUER and HOST, and puts both into the script's
// own manifests in place of these words.
func startServer(ts *testscript.TestScript, _ bool, args []string) {
	f := serverOf(ts)
	f.options = args
	ts.Check(f.listen())
	ts.Defer(func() { f.listener.Close() })
	ts.Check(f.start())
	ts.Defer(func() {
		ts.Check(f.stop())
		ts.Logf("%s wrote:\n%s", f.name, f.wrote.String())
	})
	ts.Setenv("ISSUER", f.issuer)
	ts.Setenv("HOST", f.host())
	files, err := filepath.Glob(ts.MkAbs("*.yaml"))
	ts.Check(err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		ts.Check(err)
		text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("ISSUER"), []byte(f.issuer)), []byte("HOST"), []byte(f.host()))
		ts.Check(os.WriteFile(file, text, 0o600))
	}
}

// restartServer is "restart [OPTION...]": the server begins anew at the same address, and has
// forgotten everything.
func restartServer(ts *testscript.TestScript, _ bool, args []string) {
	f := serverOf(ts)
	f.options = args
	ts.Check(f.stop())
	ts.Check(f.start())
}

// serverRequests is "requests N PART": so many requests whose line "METHOD PATH" contains PART
// came to the server since it began.
func serverRequests(ts *testscript.TestScript, _ bool, args []string) {
	_, body, err := serverOf(ts).get("GET", "/requests", "")
	ts.Check(err)
	if n := strings.Count(body, args[1]); strconv.Itoa(n) != args[0] {
		ts.Fatalf("%d requests, want %s:\n%s", n, args[0], body)
	}
}

// callServer is "call STATUS METHOD PATH FILE": the server's API says this to the token in a file.
func callServer(ts *testscript.TestScript, _ bool, args []string) {
	status, body, err := serverOf(ts).get(args[1], args[2], strings.TrimSpace(ts.ReadFile(args[3])))
	ts.Check(err)
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("status %d, want %s: %s", status, args[0], body)
	}
}

// TestRealServerPages logs in at each server in a real browser, and takes the mark from one scope.
func TestRealServerPages(t *testing.T) {
	yes := chromedp.CSS(`button[value="allow"]`)
	for kind, steps := range map[serverKind][]chromedp.Action[chromedp.Void]{
		oidcProvider: {
			chromedp.SendKeys(chromedp.CSS(`input[name="username"]`), "ada"), chromedp.Click(yes), chromedp.WaitVisible(chromedp.CSS(`input[value="things:write"]`)),
			chromedp.Click(chromedp.CSS(`input[value="things:write"]`)), chromedp.Click(yes),
		},
		djangoOAuthToolkit: {
			chromedp.SendKeys(chromedp.CSS(`input[name="username"]`), "ada"), chromedp.SendKeys(chromedp.CSS(`input[name="password"]`), "ada"),
			chromedp.Click(chromedp.CSS(`button[value="login"]`)), chromedp.WaitVisible(chromedp.CSS(`input[value="things:write"]`)),
			chromedp.Click(chromedp.CSS(`input[value="things:write"]`)), chromedp.Click(chromedp.CSS(`input[name="allow"]`)),
		},
	} {
		t.Run(filepath.Dir(kind.program), func(t *testing.T) {
			kind.find(t)
			browser := newBrowser(t)
			f := &realServer{serverKind: kind, directory: t.TempDir(), options: []string{"metadata"}}
			if err := errors.Join(f.listen(), f.start()); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = errors.Join(f.stop(), f.listener.Close()) }) // the test is over
			manifest := filepath.Join(f.directory, "m.yaml")
			text := fmt.Sprintf(`{version: 1, name: m, provider: {servers: {one: {issuer: %q}}, client: {id: tool}}, scopes: [
				{scope: "things:read", level: required, why: reads things}, {scope: "things:write", level: recommended, why: makes things}]}`, f.issuer)
			if err := os.WriteFile(manifest, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			login := beginLogin(t, manifest)
			do(t, browser, chromedp.Navigate(<-login.start), chromedp.Click(chromedp.CSS("a.go")))
			do(t, browser, steps...)
			do(t, browser, chromedp.WaitVisible(chromedp.CSS("h1.warn")))
			if page := ask(t, browser, chromedp.Text(chromedp.CSS("main"))); !strings.Contains(page, "Missing, recommended") || !strings.Contains(page, "things:write") {
				t.Errorf("the last page says:\n%s", page)
			}
			if code := <-login.ended; code != 0 {
				t.Errorf("exit code %d\n%s", code, login.out)
			}
		})
	}
}
