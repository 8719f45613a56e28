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

// Nobody is the id of a user who is nobody else.
const Nobody = 65534

// AsRoot skips a test that needs other users on a machine where this one is not root; see [Lacks].
func AsRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Lacks(t, "only root can be other users, and own their files")
	}
}
