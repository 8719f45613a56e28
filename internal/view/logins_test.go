package view_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
)

// The table of logins fits into 80 columns, whatever names there are, and shows none that would
// write over it; what is no terminal gets the names whole.
func TestLoginsFit(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	held := func(obtained, expires time.Time, refresh string) *credential.Credential {
		return &credential.Credential{Refresh: credential.NewSecret(refresh), ObtainedAt: obtained, Grant: scopes.Grant{ExpiresAt: expires}}
	}
	long := strings.Repeat("long-name.", 9)
	v := view.Logins{Now: now, List: []ambit.StoredLogin{
		{
			Issuer: "https://" + long + "example", Manifest: long, Account: ambit.Account{Name: long, Told: "ann@example.com"}, Store: "the file store",
			Since: now.Add(-50 * time.Hour), Credential: held(now.Add(-3*time.Hour), now.Add(time.Hour), ""),
		},
		{
			Issuer: "https://id.example", Manifest: "a\x1b[2Jb", Account: ambit.Account{Told: "\x1b[2J"}, Store: "the system's keyring",
			Since: now, Credential: held(now, now.Add(-time.Minute), "r"),
		},
		{Issuer: "https://id.example", Manifest: "tool", Store: "the file store", Err: ambit.ErrNoCredential},
	}}
	narrow, whole := &view.Printer{Width: 80}, &view.Printer{Width: view.Unlimited}
	v.Text(narrow)
	v.Text(whole)
	for line := range strings.Lines(narrow.String()) {
		if n := view.Visible(strings.TrimSuffix(line, "\n")); n > 80 || strings.Contains(line, "\x1b") {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	for _, want := range []string{
		long + "  ", "ann@example.com; 2 days old; renewed 3 hours ago; good for 60 minutes; in the file store",
		`a\x1b[2Jb`, "1 second old; expired 1m0s ago, and renewed when it is used; in the system's keyring",
		"it is not in the file store any more",
	} {
		if !strings.Contains(whole.String(), want) {
			t.Errorf("no %q in\n%s", want, whole.String())
		}
	}
}
