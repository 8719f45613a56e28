package helper_test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/helper"
	"github.com/ambit-auth/ambit/internal/testkit"
)

var token = helper.Token{Secret: "it's $(a) `token`", ExpiresAt: time.Unix(1_700_000_000, 0)}

// A URL of which git has decoded a part names no host that the rest of git would not talk to.
func TestReadGit(t *testing.T) {
	for _, c := range []struct{ asked, url, username string }{
		{"protocol=https\nhost=git.example.com\n\nhost=other.example.com\n", "https://git.example.com/", ""},
		{"protocol=https\nhost=git.example.com:8443\npath=a/b.git\nusername=me\n", "https://git.example.com:8443/a/b.git", "me"},
		{"protocol=https\r\nhost=git.example.com\r\n\r\n", "https://git.example.com/", ""},
		{"protocol=https\nhost=git.example.com/.evil.example\n", "", ""},
		{"protocol=https\nhost=git.example.com@evil.example\n", "", ""},
		{"protocol=https\nhost=git.example.com%2f\n", "", ""},
		{"protocol=cert\npath=/a\n", "", ""},
		{"", "", ""},
	} {
		g, err := helper.ReadGit(strings.NewReader(c.asked))
		if err != nil || g.URL != c.url || g.Username != c.username {
			t.Errorf("%q: %q, %q, %v", c.asked, g.URL, g.Username, err)
		}
	}
	for _, bad := range []string{"protocol", "host=a\x00b\n", strings.Repeat("a=b\n", 1<<20)} {
		if g, err := helper.ReadGit(strings.NewReader(bad)); err == nil || g.URL != "" {
			t.Errorf("%.20q was taken", bad)
		}
	}
}

// A token goes as a bearer token only where both ends know what that is.
func TestGitAnswer(t *testing.T) {
	for _, c := range []struct {
		asked  string
		bearer bool
	}{
		{"capability[]=authtype\nwwwauth[]=Basic realm=a\nwwwauth[]=bearer realm=b\n", true},
		{"capability[]=authtype\nwwwauth[]=Basic realm=a\n", false},
		{"capability[]=state\nwwwauth[]=Bearer\n", false},
		{"capability[]=authtype\nwwwauth[]=Bearer\nwwwauth[]=\nwwwauth[]=Basic realm=a\n", false},
	} {
		g, err := helper.ReadGit(strings.NewReader("protocol=https\nhost=h\n" + c.asked))
		if err != nil {
			t.Fatal(err)
		}
		answer := g.Answer("oauth2", token)
		if got := strings.Contains(answer, "authtype=Bearer\ncredential="+token.Secret+"\n"); got != c.bearer || strings.Contains(answer, "\npassword=") == c.bearer {
			t.Errorf("%q:\n%s", c.asked, answer)
		}
		if !strings.HasSuffix(answer, "\npassword_expiry_utc=1700000000\n") {
			t.Error(answer)
		}
	}
}

// Only what the server refused is what it refused.
func TestGitRefused(t *testing.T) {
	for asked, want := range map[string]bool{"password=a": true, "credential=a": true, "password=b": false, "username=a": false} {
		g, err := helper.ReadGit(strings.NewReader("protocol=https\nhost=h\n" + asked + "\n"))
		if err != nil || g.Refused("a") != want || g.Refused("") {
			t.Errorf("%s: %v, %v", asked, g.Refused("a"), err)
		}
	}
}

// A shell takes a value for nothing but a value.
func TestEnvIsQuoted(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		testkit.Lacks(t, "no sh on this machine")
	}
	lines := helper.Env(token, []string{"AMBIT_API_URL=https://a.example/?x=1&y='\n;false"})
	script := "set -e\n" + lines + `printf '%s|%s|%s' "$AMBIT_ACCESS_TOKEN" "$AMBIT_EXPIRES_AT" "$AMBIT_API_URL"`
	out, err := exec.Command(sh, "-c", script).CombinedOutput()
	if want := token.Secret + "|2023-11-14T22:13:20Z|https://a.example/?x=1&y='\n;false"; err != nil || string(out) != want {
		t.Errorf("%q, %v", out, err)
	}
	out, err = exec.Command(sh, "-c", "AMBIT_EXPIRES_AT=old\n"+helper.Env(helper.Token{Secret: "a"}, nil)+`printf %s "$AMBIT_EXPIRES_AT"`).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("an old expiry stays: %q, %v", out, err)
	}
}

// A client of Kubernetes takes only the version in which it asked.
func TestKubernetes(t *testing.T) {
	for value, want := range map[string]string{
		"": "client.authentication.k8s.io/v1",
		`{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","spec":{"interactive":true}}`: "client.authentication.k8s.io/v1beta1",
	} {
		k, err := helper.ReadKubernetes(value)
		var got struct {
			APIVersion, Kind string
			Status           struct {
				Token               string
				ExpirationTimestamp time.Time
			}
		}
		if err != nil || json.Unmarshal([]byte(k.Answer(token)), &got) != nil || got.APIVersion != want || got.Kind != "ExecCredential" ||
			got.Status.Token != token.Secret || !got.Status.ExpirationTimestamp.Equal(token.ExpiresAt) {
			t.Errorf("%s: %s, %v", value, k.Answer(token), err)
		}
		if lasting := k.Answer(helper.Token{Secret: "a"}); strings.Contains(lasting, "expiration") {
			t.Error(lasting)
		}
	}
	for _, bad := range []string{"{", `{"kind":"Pod"}`, `{"apiVersion":"client.authentication.k8s.io/v1alpha1","kind":"ExecCredential"}`, strings.Repeat(" ", 2<<20)} {
		if _, err := helper.ReadKubernetes(bad); err == nil {
			t.Errorf("%.80s was taken", bad)
		}
	}
}

// Docker writes a registry without a scheme, and wants it back as it wrote it.
func TestDocker(t *testing.T) {
	for server, url := range map[string]string{
		"registry.example.com": "https://registry.example.com", "registry.example.com:5000\n": "https://registry.example.com:5000",
		"https://index.docker.io/v1/": "https://index.docker.io/v1/", "": "",
	} {
		d, err := helper.ReadDocker(strings.NewReader(server))
		if err != nil || d.URL() != url {
			t.Errorf("%q: %q, %v", server, d.URL(), err)
		}
		if want := `{"ServerURL":"` + strings.TrimSpace(server) + `","Username":"<token>","Secret":"a"}` + "\n"; d.Answer("<token>", helper.Token{Secret: "a"}) != want {
			t.Error(d.Answer("<token>", helper.Token{Secret: "a"}))
		}
	}
	for _, bad := range []string{"", "[]", `{"Username":"a"}`} {
		if _, _, err := helper.ReadDockerStore(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// Whatever asks, the URL that is compared with the credential's hosts is the one that git would use.
func FuzzReadGit(f *testing.F) {
	f.Add("protocol=https\nhost=git.example.com\npath=a.git\nwwwauth[]=Basic realm=x\n\n")
	f.Add("capability[]=authtype\nprotocol=http\nhost=127.0.0.1:8080\npassword=x\n")
	f.Fuzz(func(t *testing.T, text string) {
		g, err := helper.ReadGit(strings.NewReader(text))
		if err != nil || g.URL == "" {
			return
		}
		_, rest, _ := strings.Cut(g.URL, "://")
		host, _, _ := strings.Cut(rest, "/")
		if !strings.Contains(text, "host="+host) {
			t.Errorf("%q names the host %q", text, host)
		}
		if answer := g.Answer("oauth2", helper.Token{Secret: "x"}); strings.Count(answer, "\n") > 4 {
			t.Errorf("a line of the request became two of the answer: %q", answer)
		}
	})
}
