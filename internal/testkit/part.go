package testkit

import (
	"os"
	"testing"
)

// Lacks skips a test for a part that this machine does not have: a browser, a keyring, an
// agent program. Where AMBIT_TEST_PARTS is "all", every part must be there, and it fails.
func Lacks(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("AMBIT_TEST_PARTS") == "all" {
		t.Fatal(why)
	}
	t.Skip(why)
}
