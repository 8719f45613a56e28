package oauth

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// Whatever a server gives for a code, what is shown of it harms no terminal and leads to no page that
// a login may not lead to, and nobody waits for ever or asks without a pause.
func FuzzDeviceCode(f *testing.F) {
	for _, seed := range []string{
		`{"device_code":"d","user_code":"WDJB-MJHT","verification_uri":"https://login.example/device","expires_in":600,"interval":5}`,
		`{"device_code":"d","user_code":"\u001b[2J\u202e","verification_url":"http://127.0.0.1:1/","verification_uri_complete":"javascript:1","expires_in":"1e400","interval":-1}`,
		"device_code=d&user_code=u&verification_uri=https%3A%2F%2Flogin.example%2F", `[]`, "",
	} {
		f.Add("text/plain", seed)
	}
	f.Fuzz(func(t *testing.T, kind, body string) {
		members, err := atEndpoint(200, kind, body).Object()
		if err != nil {
			return
		}
		given, problem := readIssuedCode(members, fuzzedAt.now)
		if problem != "" {
			return
		}
		shown := given.shown
		if shown.UserCode == "" || len(shown.UserCode) > 4*maxUserCode || strings.IndexFunc(shown.UserCode, func(r rune) bool { return !strconv.IsPrint(r) }) >= 0 {
			t.Errorf("the code is %q", shown.UserCode)
		}
		for _, link := range []string{shown.URL, shown.Complete} {
			if link != "" && (guard.CheckURL(link) != nil || len(link) > maxVerificationURI || provider.HostOf(link) != provider.HostOf(shown.URL)) {
				t.Errorf("the link is %q", link)
			}
		}
		if shown.URL == "" || given.device == "" || given.interval < time.Second || given.lifetime <= 0 || given.lifetime > maxCodeLife || shown.Expires.Sub(fuzzedAt.now) > maxCodeLife {
			t.Errorf("got %+v", given)
		}
	})
}
