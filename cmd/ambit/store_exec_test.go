package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
)

// A fleet is homes that share one store, that of a program, and nothing else: no lock of one is
// seen by another, as on several machines.
type fleet struct {
	t     *testing.T
	dir   string // of the program
	homes []*keepingHome
}

func newFleet(t *testing.T, k *keeper, n int) *fleet {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "ambit-store-files")
	if err := os.Symlink(self, program); err != nil {
		testkit.Lacks(t, "this system makes no symbolic links: "+err.Error())
	}
	f := &fleet{t: t, dir: filepath.Join(t.TempDir(), "kept")}
	for range n {
		h := k.home("tool")
		h.env = append(h.env, "AMBIT_STORE=exec:"+program, storetest.HelperDir+"="+f.dir)
		f.homes = append(f.homes, h)
	}
	return f
}

// record is what the program keeps of the login, and edit changes it.
func (f *fleet) record(edit func(record map[string]any)) map[string]any {
	f.t.Helper()
	paths, err := filepath.Glob(filepath.Join(f.dir, "*.json"))
	if err != nil || len(paths) != 1 {
		f.t.Fatalf("the program keeps %v, %v", paths, err)
	}
	var kept map[string]any
	data, err := os.ReadFile(paths[0])
	if err == nil {
		err = json.Unmarshal(data, &kept)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	record, _ := kept["record"].(map[string]any)
	if edit != nil {
		edit(record)
		data, err = json.Marshal(kept)
		if err == nil {
			err = os.WriteFile(paths[0], data, 0o600)
		}
		if err != nil {
			f.t.Fatal(err)
		}
	}
	return record
}

// TestCrowdAtAProgram has twenty processes in four homes renew one login again and again at a
// server that ends a session of which it sees a refresh token twice.
func TestCrowdAtAProgram(t *testing.T) {
	k := newKeeper(t)
	f := newFleet(t, k, 4)
	f.homes[0].login()
	rounds := measured(1)
	for round := range rounds {
		f.record(func(record map[string]any) { record["exp"] = 1577836800 })
		outputs, codes := f.atOnce(herd, "token")
		for i, code := range codes {
			if code != 0 || !strings.HasPrefix(outputs[i], "acc_") {
				t.Fatalf("round %d: exit code %d\n%s", round, code, outputs[i])
			}
		}
		if kept := []string{f.record(nil)["refresh"].(string)}; k.count("renewal") != round+1 || k.reused != 0 || !slices.Equal(kept, k.alive()) {
			t.Fatalf("round %d: %d requests, %d reused; kept %v, alive %v", round, k.count("renewal"), k.reused, kept, k.alive())
		}
	}
	t.Logf("%d processes in %d homes, %d rounds, %d renewals, %d reused", herd, len(f.homes), rounds, k.count("renewal"), k.reused)
}

// atOnce runs a command line in that many processes, spread over the homes.
func (f *fleet) atOnce(n int, args ...string) (outputs []string, codes []int) {
	outputs, codes = make([]string, n), make([]int, n)
	commands := make([]*exec.Cmd, n)
	for i := range commands {
		commands[i] = f.homes[i%len(f.homes)].ambit(args...)
	}
	var wait sync.WaitGroup
	for i, c := range commands {
		wait.Go(func() {
			var words bytes.Buffer
			c.Stderr = &words // a wait may be told in it
			out, _ := c.Output()
			out = append(out, words.Bytes()...)
			outputs[i], codes[i] = string(out), c.ProcessState.ExitCode()
		})
	}
	wait.Wait()
	return outputs, codes
}

// TestStoreGoesAwayBeforeTheLease has a program that gives out the login and then cannot be
// reached: the token is used while it lives, that is said, and the refresh token stays.
func TestStoreGoesAwayBeforeTheLease(t *testing.T) {
	k := newKeeper(t)
	f := newFleet(t, k, 1)
	f.homes[0].login()
	f.homes[0].env = append(f.homes[0].env, "STORE_FILES_AILS=no-lease-now")
	before := f.record(nil)["refresh"]
	outputs, codes := f.atOnce(1, "token", "--min-ttl", "100h")
	if codes[0] != 0 || !strings.Contains(outputs[0], "acc_") ||
		!strings.Contains(outputs[0], `the token could not be renewed, and is good for 60 minutes: the store program "`) ||
		!strings.Contains(outputs[0], `failed at "lease": it cannot reach its store`) {
		t.Errorf("exit code %d\n%s", codes[0], outputs[0])
	}
	f.record(func(record map[string]any) { record["exp"] = 1577836800 })
	if outputs, codes := f.atOnce(1, "token"); codes[0] != 6 {
		t.Errorf("exit code %d\n%s", codes[0], outputs[0])
	}
	if k.count("renewal") != 0 || f.record(nil)["refresh"] != before {
		t.Errorf("%d renewals were sent", k.count("renewal"))
	}
}
