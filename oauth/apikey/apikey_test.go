package apikey_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/oauth/apikey"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

func TestReadKeyForgives(t *testing.T) {
	for raw, notes := range map[string]int{
		storetest.Marked:                         0,
		" " + storetest.Marked:                   1,
		storetest.Marked + "\n":                  1,
		"\t" + storetest.Marked + "\r\n":         1,
		`"` + storetest.Marked + `"`:             1,
		"'" + storetest.Marked + "'":             1,
		"`" + storetest.Marked + "`":             1,
		"Bearer " + storetest.Marked:             1,
		"bearer   " + storetest.Marked:           2,
		` " Bearer ` + storetest.Marked + ` " `:  3,
		"'\"" + storetest.Marked + "\"'":         1, // twice the same is said once
		"\ufeff" + storetest.Marked:              1,
		"\u00a0" + storetest.Marked + "\u2003\n": 1,
	} {
		key, err := apikey.Read(raw)
		if err != nil || key.Secret.Reveal() != storetest.Marked {
			t.Errorf("%q: %q, %v", raw, key.Secret.Reveal(), err)
		}
		if len(key.Notes) != notes || storetest.Leaks(fmt.Sprint(key.Notes)) {
			t.Errorf("%q: notes %q", raw, key.Notes)
		}
	}
}

// A secret of a client may have whatever can be printed in it (RFC 6749 appendix A.2).
func TestReadSecret(t *testing.T) {
	for raw, want := range map[string]string{
		"correct horse  battery": "correct horse  battery", " a b\r\n": "a b", `"a b"`: "a b", `it's "so"`: `it's "so"`, `"a" or "b"`: `"a" or "b"`,
		"Bearer of news": "Bearer of news", "s%e:cret": "s%e:cret",
		"": "", " \n": "", "a\tb": "", "a\nb": "", "a\u00a0b": "", "schlüssel": "", "${SECRET}": "", "<your secret>": "",
	} {
		got, err := apikey.ReadSecret(raw)
		if got.Secret.Reveal() != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", raw, got.Secret.Reveal(), err)
		}
	}
}

func TestReadKeyTakesWhatKeysLookLike(t *testing.T) {
	for _, key := range []string{
		"phx_0a1B2c3D4e5F", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "sk-ant-api03-AbC_dEf-gHi_xx", "eyJhbGciOiJIUzI1NiJ9.e30.abc-_",
		"AKIAIOSFODNN7REALKEY", "dGVzdA==", "a", "phx_full", "key_yourself", "abc/def+ghi~.x", "tok_x", "tok_xx", "1234",
	} {
		if got, err := apikey.Read(key); err != nil || got.Secret.Reveal() != key || len(got.Notes) != 0 {
			t.Errorf("%q: %q, %v, %v", key, got.Secret.Reveal(), got.Notes, err)
		}
	}
}

func TestReadKeyRefuses(t *testing.T) {
	const empty, placeholder, control, blank, quote, letter = "is empty", "placeholder", "control character", "a space", "a quote", "a character"
	for raw, problem := range map[string]string{
		"": empty, "  \n": empty, `""`: empty, "' '": empty, "Bearer ": empty, "bearer": empty,
		"phx_...": placeholder, "phx_…": placeholder, "phx_xxx": placeholder, "phx_XXXXXXXX": placeholder, "phx_***": placeholder,
		"<your key>": placeholder, "<KEY>": placeholder, "${KEY}": placeholder, "$KEY": placeholder, "$(cat key)": placeholder,
		"%KEY%": placeholder, "{{ secrets.KEY }}": placeholder, "${{ secrets.KEY }}": placeholder, "[key]": placeholder,
		"your_api_key": placeholder, "YOUR-KEY-HERE": placeholder, "phx_your_key": placeholder, "put_it_here": placeholder,
		"changeme": placeholder, "phx_placeholder": placeholder, "xxxxxxxx": placeholder, "********": placeholder, "abc${X}": placeholder,
		"abc\x00def": control, "abc\x1b[31m": control, "abc\ndef": control, "abc\x7f": control,
		"two words": blank, "a\u00a0b": blank,
		`"abc`: quote, "abc'": quote,
		"schlüssel": letter, "ключ": letter, "abc\u200bdef": letter, "abc\xff": letter,
		strings.Repeat("a", 20000): "too long",
	} {
		key, err := apikey.Read(raw)
		bad, ok := errors.AsType[*apikey.BadKeyError](err)
		if !ok || !strings.Contains(bad.Problem, problem) || !key.Secret.Empty() {
			t.Errorf("%.40q: %v, want %s", raw, err, problem)
		}
	}
	for _, raw := range []string{storetest.Marked + "\x00", storetest.Marked + " x", storetest.Marked + "...", `"` + storetest.Marked} {
		if _, err := apikey.Read(raw); err == nil || storetest.Leaks(err.Error()) {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestFindKeyOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key file")
	if err := os.WriteFile(path, []byte("from-file\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	value := "from-flag"
	environment := map[string]string{"AMBIT_API_KEY": "from-ambit", "FIRST_KEY": "from-first", "SECOND_KEY": "from-second"}
	all := func() apikey.Sources {
		return apikey.Sources{
			Value: &value, Stdin: strings.NewReader("from-stdin\n"), File: path,
			Variables: []string{"FIRST_KEY", "SECOND_KEY"},
			Lookup:    func(name string) (string, bool) { v, ok := environment[name]; return v, ok },
		}
	}
	type outcome struct {
		Key, Source string
		Exposed     bool
	}
	for _, step := range []struct {
		drop func(*apikey.Sources) // on top of what was dropped before
		want outcome
	}{
		{func(*apikey.Sources) {}, outcome{"from-flag", "--api-key", true}},
		{func(s *apikey.Sources) { s.Value = nil }, outcome{"from-stdin", "standard input", false}},
		{func(s *apikey.Sources) { s.Value, s.Stdin = nil, nil }, outcome{"from-file", fmt.Sprintf("the file %q", path), false}},
		{func(s *apikey.Sources) { s.Value, s.Stdin, s.File = nil, nil, "" }, outcome{"from-ambit", "the variable AMBIT_API_KEY", false}},
		{func(s *apikey.Sources) {
			s.Value, s.Stdin, s.File = nil, nil, ""
			delete(environment, "AMBIT_API_KEY")
		}, outcome{"from-first", "the variable FIRST_KEY", false}},
		{func(s *apikey.Sources) {
			s.Value, s.Stdin, s.File = nil, nil, ""
			delete(environment, "FIRST_KEY")
		}, outcome{"from-second", "the variable SECOND_KEY", false}},
	} {
		sources := all()
		step.drop(&sources)
		key, err := apikey.Find(sources)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, outcome{key.Secret.Reveal(), key.Source, key.Exposed}); diff != "" {
			t.Error(diff)
		}
		if len(key.Notes) != 0 { // not even for the newline that a file ends with
			t.Errorf("%s: notes %q", key.Source, key.Notes)
		}
	}
	if _, err := apikey.Find(apikey.Sources{}); !errors.Is(err, apikey.ErrNone) {
		t.Errorf("no source: %v", err)
	}
	if _, err := apikey.Find(apikey.Sources{Lookup: func(string) (string, bool) { return "", false }}); !errors.Is(err, apikey.ErrNone) {
		t.Errorf("no variable: %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestFindKeyNamesTheSourceOfABadKey(t *testing.T) {
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, []byte(strings.Repeat(storetest.Marked, 10000)), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(t.TempDir(), "missing")
	value := storetest.Marked + " " + storetest.Marked
	for name, c := range map[string]struct {
		sources apikey.Sources
		want    []string
	}{
		"an empty variable": {apikey.Sources{Variables: []string{"A_KEY"}, Lookup: func(n string) (string, bool) { return "", n == "A_KEY" }}, []string{"the variable A_KEY", "is empty"}},
		"a bad flag":        {apikey.Sources{Value: &value}, []string{"--api-key", "a space"}},
		"a large file":      {apikey.Sources{File: large}, []string{large, "cannot be read", "65536"}},
		"endless input":     {apikey.Sources{Stdin: endless{}}, []string{"standard input", "65536"}},
		"broken input":      {apikey.Sources{Stdin: failing{}}, []string{"standard input", "broken pipe"}},
		"no file":           {apikey.Sources{File: missing}, []string{missing, "no such file"}},
	} {
		key, err := apikey.Find(c.sources)
		bad, ok := errors.AsType[*apikey.BadKeyError](err)
		if !ok || bad.Source == "" || !key.Secret.Empty() {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) && !strings.Contains(err.Error(), strings.Trim(fmt.Sprintf("%q", part), `"`)) {
				t.Errorf("%s: %q does not say %q", name, err, part)
			}
		}
		if storetest.Leaks(fmt.Sprintf("%v %+v", err, bad)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, strings.Repeat("a", len(p))), nil }

var _ io.Reader = endless{}

func TestKeyCredential(t *testing.T) {
	provider := &provider.Provider{Credentials: []provider.CredentialKind{
		{Prefix: "abc_", Kind: "personal_api_key"}, {Kind: scopes.UnknownKind},
	}}
	for raw, want := range map[string]credential.Credential{
		"abc_" + storetest.Marked: {Grant: scopes.Grant{Kind: "personal_api_key", Prefix: "abc_***", Source: "--api-key"}},
		"xyz_" + storetest.Marked: {Grant: scopes.Grant{Kind: scopes.UnknownKind, Source: "--api-key"}},
	} {
		key, err := apikey.Find(apikey.Sources{Value: &raw})
		if err != nil {
			t.Fatal(err)
		}
		want.Access = credential.NewSecret(raw)
		if diff := cmp.Diff(&want, key.Credential(provider)); diff != "" {
			t.Error(diff)
		}
	}
}
