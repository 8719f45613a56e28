package main

import (
	"os"
	"strings"
	"testing"
)

// TestStoredRecords damages the record of a login in every way in which one is found, and runs each command
// that reads it: every one says what is wrong with the record, with the way out, and none calls it a bug.
func TestStoredRecords(t *testing.T) {
	for name, state := range map[string]struct {
		change func(good string) string
		says   string
	}{
		"empty":     {func(string) string { return "" }, "it is empty, as a full disk or a crash leaves it"},
		"zeros":     {func(good string) string { return strings.Repeat("\x00", len(good)) }, "it is not the JSON that ambit writes"},
		"cut":       {func(good string) string { return good[:len(good)/2] }, "it is cut short, as a full disk or a crash leaves it"},
		"foreign":   {func(string) string { return `["a"]` }, "it is not the JSON that ambit writes"},
		"newer":     {func(good string) string { return strings.Replace(good, `"v":1`, `"v":7`, 1) }, "a newer ambit wrote it: it has version 7, and this one reads version 1"},
		"older":     {func(good string) string { return strings.Replace(good, `"v":1`, `"v":0`, 1) }, "it has version 0, and this ambit reads version 1"},
		"no token":  {func(good string) string { return strings.Replace(good, `"access":"acc_`, `"access":"\n`, 1) }, "the token in it is not valid"},
		"too large": {func(good string) string { return good + strings.Repeat(" ", 5<<20) }, "it is larger than 4194304 bytes, and ambit wrote no such thing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKeeper(t)
			h := k.home("tool")
			h.login()
			good, err := os.ReadFile(h.records()[0])
			if err != nil {
				t.Fatal(err)
			}
			bad := state.change(string(good))
			if bad == string(good) {
				t.Fatalf("the record is as it was: %s", good)
			}
			for _, c := range []struct {
				args []string
				code int
				way  bool // the next step is said too
			}{
				{[]string{"token"}, 4, true},
				{[]string{"status"}, 4, true},
				{[]string{"check"}, 4, true},
				{[]string{"run", "--", "true"}, 4, true},
				{[]string{"logins"}, 0, false},
				{[]string{"logout"}, 0, false},
				{[]string{"logout", "--all"}, 0, false},
			} {
				if err := os.WriteFile(h.records()[0], []byte(bad), 0o600); err != nil {
					t.Fatal(err)
				}
				record := h.records()[0]
				command := h.ambit(c.args...)
				out, _ := command.CombinedOutput()
				said := strings.Join(strings.Fields(string(out)), " ")
				if code := command.ProcessState.ExitCode(); code != c.code || !strings.Contains(said, state.says) || c.way && !strings.Contains(said, "ambit login") || strings.Contains(said, "bug in ambit") {
					t.Errorf("%v: exit %d, want %d and %q:\n%s", c.args, code, c.code, state.says, out)
				}
				if _, err := os.Stat(record); c.args[0] != "logout" && err != nil {
					t.Errorf("%v removed the record: %v", c.args, err)
				}
				if c.args[0] == "logout" { // it removes even what it cannot read
					if _, err := os.Stat(record); err == nil {
						t.Errorf("%v left the record", c.args)
					}
					h.login()
				}
			}
		})
	}
}
