package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/testkit/replay"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/rogpeppe/go-internal/testscript"
)

const providerDir = root + "/scopes/provider/providers"

// TestExchanges plays what docs/providers.md speaks of: the exchanges of every provider, through the
// real commands, against a server that knows nothing of them.
func TestExchanges(t *testing.T) {
	dirs := []string{providerDir, root + "/docs/samples"}
	if own := os.Getenv("AMBIT_TEST_PROVIDERS"); own != "" {
		if !filepath.IsAbs(own) {
			own = filepath.Join(root, own) // a test runs in the directory of its package
		}
		dirs = append(dirs, own)
	}
	for _, dir := range dirs {
		playProviders(t, dir)
	}
}

// playProviders plays the scenarios of each provider file of a directory, and wants each
// subdirectory to belong to one.
func playProviders(t *testing.T, dir string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no provider file in %s (%v)", dir, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !slices.Contains(files, filepath.Join(dir, e.Name()+".yaml")) {
			t.Errorf("%s has exchanges without a provider file", e.Name())
		}
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p, err := provider.Decode(file, text)
			if err != nil {
				t.Fatal(err)
			}
			playAll(t, file, len(p.Client.Redirect.Ports))
		})
	}
}

// playAll plays each scenario of a provider file as a test of its own. No more than ports of them run
// at a time, where that is not 0: the provider has registered no others.
func playAll(t *testing.T, file string, ports int) {
	scenarios, err := filepath.Glob(filepath.Join(strings.TrimSuffix(file, ".yaml"), "*.txtar"))
	if err != nil || len(scenarios) == 0 {
		t.Fatalf("%s has no exchanges beside it (%v); see docs/providers.md", file, err)
	}
	var room chan bool
	if ports > 0 {
		room = make(chan bool, ports)
	}
	var requests atomic.Int64
	t.Cleanup(func() { t.Logf("%d scenarios, %d exchanges", len(scenarios), requests.Load()) })
	for _, scenario := range scenarios {
		t.Run(strings.TrimSuffix(filepath.Base(scenario), ".txtar"), func(t *testing.T) {
			t.Parallel()
			if room != nil {
				room <- true
				defer func() { <-room }()
			}
			on := stage{limit: scenarioLimit}
			if first := playTrial(on, scenario, &requests); !first.failed.Load() {
				return
			} else if said := first.said.String(); !strings.Contains(said, "no response in time") {
				t.Fatal(said)
			}
			// The service answers at once: a machine that stood still for 10 s is no result.
			playScenario(alone{t}, on, scenario, &requests)
		})
	}
}

// A scenario that hangs ends here: the commands wait for minutes where a person might.
const scenarioLimit = time.Minute

// A player is a test as testscript wants one, that can fail and go on.
type player interface {
	testscript.T
	Error(args ...any)
}

// A stage is what a scenario is played with.
type stage struct {
	programs string        // a directory whose programs take the place of the others; "" for none
	limit    time.Duration // how long it may take
}

func playScenario(t player, on stage, file string, requests *atomic.Int64) {
	service, err := replay.Start()
	if err != nil {
		t.Fatal(err)
	}
	finished := false
	defer func() { // also where the script fails
		service.Close()
		requests.Add(int64(service.Played()))
		if err := service.Trouble(); err != nil {
			t.Error(err)
		} else if err := service.Done(); err != nil && finished {
			t.Error(err)
		}
	}()
	testscript.RunT(t, testscript.Params{
		Files:    []string{file},
		Deadline: time.Now().Add(on.limit),
		Setup: func(env *testscript.Env) error {
			env.Defer(func() {
				if err := kept(filepath.Join(env.WorkDir, ".home"), service.Secrets()); err != nil {
					t.Error(err)
				}
			})
			if on.programs != "" {
				env.Setenv("PATH", on.programs+string(os.PathListSeparator)+env.Getenv("PATH"))
			}
			return setScene(env, service, filepath.Dir(file))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"play":     func(ts *testscript.TestScript, _ bool, files []string) { play(ts, service, files) },
			"exits":    func(ts *testscript.TestScript, _ bool, args []string) { exits(ts, service, args) },
			"later":    later,
			"jsonpath": jsonPath,
			"mode":     mode,
		},
	})
	finished = true
}

// alone is a test for one script: it begins no other.
type alone struct{ *testing.T }

func (a alone) Run(_ string, f func(testscript.T)) { f(a) }
func (a alone) Parallel()                          {}
func (a alone) Verbose() bool                      { return testing.Verbose() }

// setScene leads every connection to the service, and gives the script the files of its provider
// that it does not bring itself, and the provider file.
func setScene(env *testscript.Env, service *replay.Service, dir string) error {
	service.File = func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(env.WorkDir, name)) }
	ca := filepath.Join(env.WorkDir, ".ca.pem")
	for _, pair := range [][2]string{{"HTTPS_PROXY", service.Proxy()}, {"HTTP_PROXY", service.Proxy()}, {"AMBIT_CA_FILE", ca}} {
		env.Setenv(pair[0], pair[1])
	}
	shared, err := filepath.Glob(filepath.Join(dir, "*"))
	for _, file := range append(shared, dir+".yaml") {
		to := filepath.Join(env.WorkDir, filepath.Base(file))
		if _, own := os.Stat(to); own == nil || filepath.Ext(file) == ".txtar" {
			continue
		}
		text, readErr := os.ReadFile(file)
		err = errors.Join(err, readErr, os.WriteFile(to, text, 0o600))
	}
	return errors.Join(err, os.WriteFile(ca, replay.CA(), 0o600), ownHome(env))
}

// play is "play FILE...": from here on these exchanges are expected.
func play(ts *testscript.TestScript, service *replay.Service, files []string) {
	var list []replay.Exchange
	for _, file := range files {
		some, err := replay.Parse(file, []byte(ts.ReadFile(file)))
		ts.Check(err)
		list = append(list, some...)
	}
	ts.Check(service.Expect(list))
}

// exits is "exits CODE COMMAND...": the command ends so, and nothing came that is not expected.
func exits(ts *testscript.TestScript, service *replay.Service, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
	ts.Check(service.Trouble())
	said := ts.ReadFile("stderr")
	for _, secret := range service.Secrets() {
		if strings.Contains(said, secret) {
			ts.Fatalf("standard error has the secret %s", secret)
		}
	}
}

// later is "later DURATION": so much of the life of every stored login has passed.
func later(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: later DURATION")
	}
	by, err := time.ParseDuration(args[0])
	ts.Check(err)
	files, err := filepath.Glob(ts.MkAbs(".home/state/ambit/credentials/*.json"))
	ts.Check(err)
	aged := 0
	for _, file := range files {
		var record map[string]any
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &record))
		for _, member := range []string{"exp", "iat"} {
			if at, is := record[member].(float64); is {
				record[member] = int64(at) - int64(by.Seconds())
				aged++
			}
		}
		text, err := json.Marshal(record)
		ts.Check(err)
		ts.Check(os.WriteFile(file, text, 0o600))
	}
	if aged == 0 {
		ts.Fatalf("no login is stored that ends")
	}
}

// kept reports, as an error, secrets in files of a home that are not the store's.
func kept(home string, secrets []string) error {
	return filepath.WalkDir(home, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if err == nil && d.Name() == "credentials" {
				return fs.SkipDir
			}
			return err
		}
		text, err := os.ReadFile(file)
		for _, secret := range secrets {
			if strings.Contains(string(text), secret) {
				return fmt.Errorf("%s has the secret %s", file, secret)
			}
		}
		return err
	})
}

// browse is a person's browser for exchanges: it follows a URL wherever that leads, as the
// environment says how.
func browse() {
	pool := x509.NewCertPool()
	if pem, err := os.ReadFile(os.Getenv("AMBIT_CA_FILE")); err == nil {
		pool.AppendCertsFromPEM(pem)
	}
	client := http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: pool}}}
	response, err := client.Get(os.Args[len(os.Args)-1])
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// fetch is a small client of an API for exchanges: "fetch METHOD BASE/PATH [JSON]", through what
// its environment says. It ends with 7 at a refusal.
func fetch() {
	args := append(os.Args[1:], "", "", "")
	base, path, _ := strings.Cut(args[1], "/")
	request, err := http.NewRequest(args[0], os.Getenv("AMBIT_"+strings.ToUpper(base)+"_URL")+"/"+path, strings.NewReader(args[2]))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("AMBIT_LEASE"))
	if args[2] != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	body, _ := io.ReadAll(response.Body) // what came is printed
	fmt.Printf("%d %s\n", response.StatusCode, body)
	if response.StatusCode >= http.StatusBadRequest {
		os.Exit(7)
	}
}
