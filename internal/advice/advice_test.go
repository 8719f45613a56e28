package advice_test

import (
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

const file = `
servers:
  here: {issuer: "https://id.example", api: "https://api.example"}
  there: {issuer: "https://id2.example", api: "https://api2.example"}
credentials:
  - {prefix: key_, kind: personal_api_key, label: a key, env: [THE_KEY], create: "{api}/keys"}
  - {prefix: tok_, kind: oauth_token, label: a token}
`

// situation is that of a key, or of a login.
func situation(t *testing.T, p advice.Problem, secret string) advice.Situation {
	t.Helper()
	known, err := provider.Decode("p.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	here, _ := known.Lookup("here")
	return advice.Situation{
		Problem: p, IsLogin: secret == "tok_", Source: "the variable THE_KEY", Provider: known, At: here, Kind: known.KindOf(secret),
		Run: advice.Invocation{Manifest: "my scopes.yaml", Programs: []string{"slack"}},
	}
}

func TestSteps(t *testing.T) {
	login := "ambit login -f 'my scopes.yaml' --program slack"
	for name, c := range map[string]struct {
		problem advice.Problem
		secret  string
		change  func(*advice.Situation)
		want    []string
	}{
		"a key lacks": {
			advice.Lacking, "key_", func(s *advice.Situation) { s.Missing = []string{"a", "b"} },
			[]string{"replace the key from THE_KEY with one that also includes a, b; at https://api.example/keys"},
		},
		"a key lacks what there may be no box for": {
			advice.Lacking, "key_", func(s *advice.Situation) {
				s.Missing, s.Withheld = []string{"a"}, []advice.Remark{{About: "c", Text: "not on the list"}}
			},
			[]string{"replace the key from THE_KEY with one that also includes a; at https://api.example/keys", "check c in the manifest: a key may not be able to include it: not on the list"},
		},
		"a login lacks": {
			advice.Lacking, "tok_", func(s *advice.Situation) { s.Missing = []string{"a", "b", "c", "d"} },
			[]string{
				"log in again, and leave the boxes ticked: " + login,
				"if no consent page appears, or it does not offer a, b, c: revoke this application's access in your account, and log in again",
				"or set THE_KEY or AMBIT_API_KEY to a key that includes what is missing",
			},
		},
		"a login did not ask": {
			advice.Lacking, "tok_", func(s *advice.Situation) {
				s.Unasked, s.Withheld = []string{"a"}, []advice.Remark{{About: "c", Text: "not on the list"}}
			},
			[]string{"log in again: " + login, "the last login did not request a; check whether a login can: ambit plan -f 'my scopes.yaml' --program slack", "check c in the manifest: it was not requested: not on the list"},
		},
		"a login lacks what nobody declared": {
			advice.Lacking, "tok_", func(s *advice.Situation) { s.Undeclared = []string{"a"} },
			[]string{"log in again, and leave the boxes ticked: ambit login --add a -f 'my scopes.yaml' --program slack", "to have every login request it, declare a in the manifest"},
		},
		"a login lacks several of the kind, one with a comma": {
			advice.Lacking, "tok_", func(s *advice.Situation) { s.Undeclared = []string{"a|b", "c,d"} },
			[]string{
				`log in again, and leave the boxes ticked: ambit login --add a --add '"c,d"' -f 'my scopes.yaml' --program slack`,
				"to have every login request it, declare (one of a, b), c,d in the manifest",
			},
		},
		"no login would ask": {
			advice.Lacking, "tok_", func(s *advice.Situation) { s.Withheld = []advice.Remark{{About: "c", Text: "not on the list"}} },
			[]string{"check c in the manifest: it was not requested: not on the list"},
		},
		"a login lacks, and nobody is there": {
			advice.Lacking, "tok_", func(s *advice.Situation) { s.Missing, s.Unattended = []string{"a"}, true },
			[]string{"set THE_KEY or AMBIT_API_KEY to a key that includes a; at https://api.example/keys"},
		},
		"there is none, and nobody is there": {
			advice.Absent, "tok_", func(s *advice.Situation) { s.Missing, s.Unattended = []string{"a", "b|c"}, true },
			[]string{"set THE_KEY or AMBIT_API_KEY to a key that includes a, (one of b, c); at https://api.example/keys"},
		},
		"a key lacks one of several": {
			advice.Lacking, "key_", func(s *advice.Situation) { s.Missing = []string{"a|b"} },
			[]string{"replace the key from THE_KEY with one that also includes one of a, b; at https://api.example/keys"},
		},
		"a key lacks what nobody names": {
			advice.Lacking, "key_", nil,
			[]string{
				"find out which scope this operation takes: the server's documentation, or its operator, can name it; then declare it in the manifest",
				"ambit cannot ask what this key may do: look it up where the key was created; at https://api.example/keys",
			},
		},
		"a key lacks many": {
			advice.Lacking, "key_", func(s *advice.Situation) { s.Missing = strings.Split("a b c d e f g h i j k l", " ") },
			[]string{"replace the key from THE_KEY with one that also includes a, b, c, d, e, f, g, h, i, j and 2 more; at https://api.example/keys"},
		},
		"a key has ended":   {advice.Ended, "key_", nil, []string{"replace the key from THE_KEY with a new one; at https://api.example/keys"}},
		"a login has ended": {advice.Ended, "tok_", nil, []string{"log in again: " + login}},
		"a login has ended, and nobody is there": {
			advice.Ended, "tok_", func(s *advice.Situation) { s.Unattended = true },
			[]string{"set THE_KEY or AMBIT_API_KEY to a key; at https://api.example/keys"},
		},
		"a kind that cannot serve": {advice.WrongKind, "tok_", nil, []string{"use a key; at https://api.example/keys"}},
		"nor can any key": {
			advice.WrongKind, "key_", func(s *advice.Situation) { s.Provider = &provider.Provider{} },
			[]string{"remove the key from the variable THE_KEY, and log in: " + login},
		},
		"another server's": {
			advice.Elsewhere, "key_", func(s *advice.Situation) { s.Server = "there" },
			[]string{"use the server that the credential belongs to: ambit check -f 'my scopes.yaml' --server there --program slack"},
		},
		"perhaps another server's": {
			advice.Unreached, "key_", func(s *advice.Situation) { s.Server = "there" },
			[]string{
				"the credential may belong to there: check there once that server can be reached: ambit check -f 'my scopes.yaml' --server there --program slack",
				"replace the key from THE_KEY with a new one; at https://api.example/keys",
			},
		},
		"a setting sends another": {
			advice.Replaced, "key_", func(s *advice.Situation) {
				s.Settings, s.Logout = []advice.Remark{{About: "/s.json", Text: "remove x there"}}, "agent logout"
			},
			[]string{"in /s.json: remove x there"},
		},
		"a login of its own sends another": {
			advice.Replaced, "key_", func(s *advice.Situation) { s.Logout = "agent logout" },
			[]string{"log the program out of its own account: agent logout"},
		},
		"no scope helps": {advice.NoScope, "key_", func(s *advice.Situation) { s.Words = "ask an admin" }, []string{"ask an admin"}},
		"the server lets this client renew nothing": {
			advice.Denying, "tok_", func(s *advice.Situation) { s.Denied.Code = "unauthorized_client" },
			[]string{"the server does not let this client renew a login: its operator can allow that, or log in again: " + login},
		},
		"the same, and nobody is there": {
			advice.Denying, "tok_", func(s *advice.Situation) { s.Denied.Code, s.Unattended = "unauthorized_client", true },
			[]string{"set THE_KEY or AMBIT_API_KEY to a key; at https://api.example/keys"},
		},
		"the server does not know the client": {
			advice.Denying, "tok_", func(s *advice.Situation) { s.Provider.Client.ID, s.Denied.Code = "app", "invalid_client" },
			[]string{`the client id "app" is not registered there, or not as a public client, which has no secret; name one that is: provider: {use: ..., client: {id: ...}}`},
		},
		"renewed since": {advice.Renewed, "tok_", nil, []string{"repeat the request"}},
		"nothing helps": {advice.NoScope, "key_", nil, nil},
		"nobody knows why, of a key that can be asked about": {
			advice.Unexplained, "key_", func(s *advice.Situation) { s.Kind.Inspect = []provider.Inspection{{URL: "{api}/key"}} },
			[]string{"see what the credential holds: ambit status -f 'my scopes.yaml' --program slack"},
		},
		"nobody knows why, of a login": {advice.Unexplained, "tok_", nil, []string{"see what the credential holds: ambit status -f 'my scopes.yaml' --program slack"}},
		"nobody knows why, and no server can be asked": {
			advice.Unexplained, "key_", nil,
			[]string{"ambit cannot ask what this key may do: look it up where the key was created; at https://api.example/keys"},
		},
		"nobody knows what sends another": {
			advice.Replaced, "key_", nil, []string{"let the program send the lease in its place: the child finds it in AMBIT_LEASE"},
		},
	} {
		s := situation(t, c.problem, c.secret)
		if c.change != nil {
			c.change(&s)
		}
		var got []string
		for _, step := range advice.Steps(s) {
			got = append(got, step.String())
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Whatever stands in a file or a response, a step stays on its line, and a command in one
// piece.
func TestStepsFitOnALine(t *testing.T) {
	s := situation(t, advice.Lacking, "tok_")
	s.Missing = []string{"a\nb\x1b[2J", strings.Repeat("x", 1000)}
	s.Run.Manifest = "it's\n.yaml"
	for _, step := range advice.Steps(s) {
		if strings.ContainsAny(step.String(), "\n\x1b") || len(step.Text) > 600 {
			t.Errorf("%q", step)
		}
	}
	if got := advice.Steps(s)[0].Command; got != `ambit login -f 'it'\''s\n.yaml' --program slack` {
		t.Error(got)
	}
	if got := advice.Line(nil); got != "" {
		t.Error(got)
	}
	if steps := advice.Steps(s); advice.Line(steps) != steps[0].String() {
		t.Error("a hint is the first step")
	}
}
