package main

import (
	"cmp"
	"os"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/testkit"
)

// A recordState is one in which a record is found that is of no use.
type recordState struct {
	change func(good string) string
	says   string
	owner  int // a user who is not this one
	code   int // of a command that needs the record; 0 is 4
}

// way is the step that is said.
func (s recordState) way() string {
	if s.owner != 0 {
		return "chown it"
	}
	return "ambit login"
}

var recordStates = map[string]recordState{
	"empty":     {change: func(string) string { return "" }, says: "it is empty, as a full disk or a crash leaves it"},
	"zeros":     {change: func(good string) string { return strings.Repeat("\x00", len(good)) }, says: "it is not the JSON that ambit writes"},
	"cut":       {change: func(good string) string { return good[:len(good)/2] }, says: "it is cut short, as a full disk or a crash leaves it"},
	"foreign":   {change: func(string) string { return `["a"]` }, says: "it is not the JSON that ambit writes"},
	"newer":     {change: func(good string) string { return strings.Replace(good, `"v":1`, `"v":7`, 1) }, says: "a newer ambit wrote it: it has version 7, and this one reads version 1"},
	"older":     {change: func(good string) string { return strings.Replace(good, `"v":1`, `"v":0`, 1) }, says: "it has version 0, and this ambit reads version 1"},
	"no token":  {change: func(good string) string { return strings.Replace(good, `"access":"acc_`, `"access":"\n`, 1) }, says: "the token in it is not valid"},
	"too large": {change: func(good string) string { return good + strings.Repeat(" ", 5<<20) }, says: "it is larger than 4194304 bytes, and ambit wrote no such thing"},
	"another's": {change: func(good string) string { return good }, says: "belongs to another user (user id 65534; this is 0)", owner: testkit.Nobody, code: 2},
}

// TestStoredRecords damages the record of a login in every way in which one is found, and runs each command
// that reads it: every one says what is wrong with the record, with the way out, and none calls it a bug.
func TestStoredRecords(t *testing.T) {
	for name, state := range recordStates {
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
			if state.owner != 0 {
				testkit.AsRoot(t)
			} else if bad == string(good) {
				t.Fatalf("the record is as it was: %s", good)
			}
			unusable := cmp.Or(state.code, 4)
			for _, c := range []struct {
				args []string
				code int
				way  bool // the next step is said too
			}{
				{[]string{"token"}, unusable, true},
				{[]string{"status"}, unusable, true},
				{[]string{"check"}, unusable, true},
				{[]string{"run", "--", "true"}, unusable, true},
				{[]string{"logins"}, 0, false},
				{[]string{"logout"}, state.code, false},
				{[]string{"logout", "--all"}, state.code, false},
			} {
				if err := os.WriteFile(h.records()[0], []byte(bad), 0o600); err != nil {
					t.Fatal(err)
				}
				record := h.records()[0]
				if state.owner != 0 {
					if err := os.Chown(record, state.owner, -1); err != nil {
						t.Fatal(err)
					}
				}
				command := h.ambit(c.args...)
				out, _ := command.CombinedOutput()
				said := strings.Join(strings.Fields(string(out)), " ")
				if code := command.ProcessState.ExitCode(); code != c.code || !strings.Contains(said, state.says) || c.way && !strings.Contains(said, state.way()) || strings.Contains(said, "bug in ambit") {
					t.Errorf("%v: exit %d, want %d and %q:\n%s", c.args, code, c.code, state.says, out)
				}
				if _, err := os.Stat(record); (c.args[0] != "logout" || c.code != 0) && err != nil {
					t.Errorf("%v removed the record: %v", c.args, err)
				}
				if c.args[0] == "logout" && c.code == 0 { // it removes even what it cannot read
					if _, err := os.Stat(record); err == nil {
						t.Errorf("%v left the record", c.args)
					}
					h.login()
				}
			}
		})
	}
}
