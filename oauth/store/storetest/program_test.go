package storetest_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/google/go-cmp/cmp"
)

// programVariable names the program that [TestProgram] is to test.
const programVariable = "AMBIT_TEST_STORE"

// leaseTime is short, so that a lease whose holder was killed runs out soon, and long enough for
// a slow program to renew it.
const leaseTime = 5 * time.Second

// program is the kind of a program, by its command line.
func program(command string) storetest.Kind {
	return storetest.Kind{
		Name:  "program",
		Place: func(testing.TB) string { return command },
		Open:  func(command string) store.Store { return &store.Exec{Command: command, LeaseTime: leaseTime} },
	}
}

// TestMain is also the main of the processes of storetest.
func TestMain(m *testing.M) {
	storetest.Main(append(mutants(), program(""), storetest.HelperKind())...)
	os.Exit(m.Run())
}

// TestProgram is for those who write the program of a store: see docs/stores.md.
func TestProgram(t *testing.T) {
	command := os.Getenv(programVariable)
	if command == "" {
		t.Skip("name the program of a store with " + programVariable + ", see docs/stores.md")
	}
	storetest.Run(t, program(command))
}

func page(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../../../docs/stores.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The program on the page keeps the contract.
func TestPageProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts an interpreter two hundred times")
	}
	out, err := exec.Command("python3", "-c", "import fcntl, sys; print(sys.executable)").Output() // not what looks for one each time
	if err != nil {
		testkit.Lacks(t, "no python3 with fcntl on this machine: "+err.Error())
	}
	python := strings.TrimSpace(string(out))
	_, rest, _ := strings.Cut(page(t), "```python\n")
	source, _, _ := strings.Cut(rest, "```")
	path := filepath.Join(t.TempDir(), "program.py")
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("STORE_DIR", filepath.Join(t.TempDir(), "kept"))
	storetest.Run(t, program("'"+python+"' -I -S '"+path+"'"))
}

// A message is one line of the page's protocol.
type message struct {
	operation string // "" for an answer
	text      string
}

func messages(t *testing.T) (key string, all []message) {
	t.Helper()
	for line := range strings.Lines(page(t)) {
		line = strings.TrimSpace(line)
		if text, ok := strings.CutPrefix(line, "KEY = "); ok {
			key = text
		} else if text, ok := strings.CutPrefix(line, "> "); ok {
			operation, text, _ := strings.Cut(text, " ")
			all = append(all, message{operation, text})
		} else if text, ok := strings.CutPrefix(line, "< "); ok {
			all = append(all, message{"", text})
		}
	}
	if key == "" || len(all) < 30 {
		t.Fatalf("the page has %d messages", len(all))
	}
	return key, all
}

// Each message on the page is what the program in Go says, one after the other.
func TestPageMessages(t *testing.T) {
	t.Setenv(storetest.HelperDir, filepath.Join(t.TempDir(), "kept"))
	key, all := messages(t)
	version, latest := `"none"`, ""
	var answer string
	for _, m := range all {
		text := strings.ReplaceAll(strings.ReplaceAll(m.text, "KEY", key), "VERSION", version)
		if m.operation != "" {
			var out bytes.Buffer
			if code := storetest.Helper([]string{"program", m.operation}, strings.NewReader(text), &out); code != 0 {
				t.Fatalf("%s: exit code %d", m.operation, code)
			}
			answer, latest = out.String(), m.operation
			continue
		}
		got := parsed(t, answer)
		if v, ok := got["version"]; ok {
			quoted, _ := json.Marshal(v)
			version = string(quoted)
			text = strings.ReplaceAll(strings.ReplaceAll(m.text, "KEY", key), "VERSION", version)
		}
		if diff := cmp.Diff(parsed(t, text), got); diff != "" {
			t.Errorf("%s: %s", latest, diff)
		}
	}
}

func parsed(t *testing.T, text string) (object map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return object
}

// Each request that ambit makes has the members that the page shows, and no others.
func TestPageRequests(t *testing.T) {
	key, all := messages(t)
	shown := make(map[string]bool)
	for _, m := range all {
		if m.operation != "" {
			shown[shape(m.operation, parsed(t, strings.NewReplacer("KEY", key, "VERSION", `"v"`).Replace(m.text)))] = true
		}
	}
	if _, err := exec.LookPath("sh"); err != nil {
		testkit.Lacks(t, "no sh on this machine")
	}
	log := filepath.Join(t.TempDir(), "log")
	recording := `sh -c 'in=$(cat); printf "%s %s\n" "$3" "$in" >>"$1"; printf %s "$in" | "$2" "$3"' - '` + log + `' '` + os.Args[0] + `'`
	backend := storetest.HelperKind().Open(filepath.Join(t.TempDir(), "kept")).(*store.Exec)
	backend = &store.Exec{Command: recording, Env: backend.Env, LeaseTime: time.Second / 2}
	requests := func() string {
		data, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	exercise(t, backend, requests)
	made := make(map[string]bool)
	for line := range strings.Lines(requests()) {
		operation, text, _ := strings.Cut(line, " ")
		made[shape(operation, parsed(t, text))] = true
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(shown)), slices.Sorted(maps.Keys(made))); diff != "" {
		t.Error(diff)
	}
}

// opRenewLease begins the line of a lease that was renewed.
const opRenewLease = "renew-lease "

// exercise makes every request that there is; made are those that came so far.
func exercise(t *testing.T, backend *store.Exec, made func() string) {
	t.Helper()
	ctx, key := t.Context(), store.Key{Issuer: "https://auth.example.com", ClientID: "cli", Manifest: "tool"}
	old, next := &credential.Credential{Access: credential.NewSecret("a")}, &credential.Credential{Access: credential.NewSecret("b")}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(backend.Probe(ctx, key))
	check(backend.Save(ctx, key, old))
	storetest.Load(t, backend, key)
	check(backend.Swap(ctx, key, nil, old, next))
	lease, err := backend.Lease(ctx, key, store.Claim{})
	check(err)
	for !strings.Contains(made(), opRenewLease) {
		runtime.Gosched()
	}
	check(backend.Swap(ctx, key, lease, next, old))
	lease.Release()
	keys, err := backend.List(ctx)
	if check(err); !slices.Equal(keys, []store.Key{key}) {
		t.Errorf("List: %v", keys)
	}
	check(backend.Delete(ctx, key))
}

// shape is an operation with the names of its request's members.
func shape(operation string, request map[string]any) string {
	return operation + " " + strings.Join(slices.Sorted(maps.Keys(request)), " ")
}

// Every code of the protocol is on the page.
func TestPageCodes(t *testing.T) {
	source, err := os.ReadFile("../exec_request.go")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`code[A-Z]\w+ += "(\w+)"`).FindAllSubmatch(source, -1)
	if len(found) < 7 {
		t.Fatalf("%d codes", len(found))
	}
	for _, code := range found {
		if !strings.Contains(page(t), "| `"+string(code[1])+"` |") {
			t.Errorf("the page does not have %s", code[1])
		}
	}
}
