package refusal_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/refusal"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

const entries = `
servers: {here: {issuer: "https://id.example", api: "https://api.example"}}
implies: [{scope: "repo", covers: ["public_repo"]}]
errors:
  - {status: 403, header: {X-SSO: "required; url={url}"}, means: not_a_scope_problem, link: "{url}"}
  - {status: [403, 404], needs: {header: X-Accepted}, holds: {header: X-Held}, any_of: true, means: missing_scope}
  - {status: 200, at: error, is: missing_scope, needs: needed, holds: provided, means: missing_scope}
  - {status: 200, at: error, is: gone, means: rejected}
  - {at: "errors[].code", is: [17, "odd {what}"], text: "at {place}", means: not_a_scope_problem, link: "https://x.example/{place}/a?b={what}"}
  - {status: 403, at: access, is: denied, needs: "rules[].needs", means: missing_scope}
  - {status: 403, text: "held: {held}; needed: {scope}.", means: missing_scope, link: "{api}/keys"}
  - {status: 409, text: no such thing, means: silent}
`

func entriesProvider(t testing.TB) *provider.Provider {
	t.Helper()
	p, err := provider.Decode("p.yaml", []byte(entries))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What an entry names has to fit, all of it, and the first that does counts.
func TestEntry(t *testing.T) {
	p := entriesProvider(t)
	known := refusal.Vocabulary{Implies: p.Implies}
	for name, tt := range map[string]struct {
		status  int
		headers string // Name: value, a line each
		body    string
		means   provider.Meaning
		needs   string // groups with blanks between them, | within
		link    string
		refuses bool
	}{
		"a header and its link":               {403, "X-SSO: required; url=https://sso.example/a?b=c", "", "not_a_scope_problem", "", "https://sso.example/a?b=c", true},
		"a header of another text":            {403, "X-SSO: partial; url=https://sso.example/a", "", "", "", "", true},
		"a header with more before its text":  {403, "X-SSO: not required; url=https://sso.example/a", "", "", "", "", true},
		"a link of another scheme":            {403, "X-SSO: required; url=http://localhost/x", "", "not_a_scope_problem", "", "", true},
		"a link with a script":                {403, "X-SSO: required; url=javascript:alert(1)", "", "not_a_scope_problem", "", "", true},
		"a link with a password":              {403, "X-SSO: required; url=https://a:b@sso.example/", "", "not_a_scope_problem", "", "", true},
		"a link with an escape in it":         {403, "X-SSO: required; url=https://sso.example/\x1b[31m", "", "not_a_scope_problem", "", "", true},
		"an endless link":                     {403, "X-SSO: required; url=https://sso.example/" + strings.Repeat("a", 5000), "", "not_a_scope_problem", "", "", true},
		"needed, and held is something else":  {404, "X-Accepted: repo, read:org\nX-Held: gist", `{"message":"Not Found"}`, "missing_scope", "repo|read:org", "", false},
		"needed, and nothing is held":         {404, "X-Accepted: repo\nX-Held: ", "", "missing_scope", "repo", "", false},
		"needed, and held":                    {404, "X-Accepted: repo\nX-Held: gist, repo", "", "", "", "", false},
		"needed, and implied":                 {404, "X-Accepted: public_repo\nX-Held: repo", "", "", "", "", false},
		"nothing is needed":                   {404, "X-Accepted: \nX-Held: gist", "", "", "", "", false},
		"nobody says what is needed":          {404, "X-Held: gist", "", "", "", "", false},
		"or of ands":                          {403, "X-Accepted: a=read,b=read; c=write", "", "missing_scope", "a=read|c=write b=read|c=write", "", true},
		"a success":                           {200, "", `{"ok":true,"error":"nothing"}`, "", "", "", false},
		"an error at 200":                     {200, "", `{"ok":false,"error":"missing_scope","needed":"r1,w1","provided":"r2"}`, "missing_scope", "r1 w1", "", true},
		"an error at 200 by nothing else":     {200, "", `{"error":"gone","items":[1],"more":{"x":1}}`, "rejected", "", "", true},
		"the same words in data":              {200, "", `{"items":[{"error":"gone"}]}`, "", "", "", false},
		"a number in a list, and its text":    {418, "", `{"errors":[{"code":3},{"code":17,"message":"at /../x?y#z"}]}`, "not_a_scope_problem", "", "", true},
		"a value in a list, and its text":     {422, "", `{"errors":[{"code":"odd a&b","message":"at /../x?y"}]}`, "not_a_scope_problem", "", "https://x.example/%2F..%2Fx%3Fy/a?b=a%26b", true},
		"a value in a list, without its text": {422, "", `{"errors":[{"code":17}]}`, "", "", "", false},
		"lists in a list":                     {403, "", `{"access":"denied","rules":[{"needs":["a","b"]},{"needs":"c"}]}`, "missing_scope", "a|c b|c", "", true},
		"words in quotes":                     {403, "", "{\"access\":\"denied\",\"rules\":[{\"needs\":\"`read_a` for queries, and both `read_a` as well as `write_a` for mutations\"}]}", "missing_scope", "read_a write_a", "", true},
		"a sentence that quotes nothing":      {403, "", `{"access":"denied","rules":[{"needs":"the shop must have access to it"}]}`, "", "", "", true},
		"held and needed in a sentence":       {403, "", `{"message":"held: r1, w1; needed: r2 or w2."}`, "missing_scope", "r2|w2", "https://api.example/keys", true},
		"held in a sentence":                  {403, "", `{"message":"held: r1, w1; needed: r1."}`, "", "", "", true},
		"a silent one that is no refusal":     {409, "", `{"message":"no such thing"}`, "silent", "", "", false},
	} {
		resp := refusal.Response{Status: tt.status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(tt.body)}
		for line := range strings.SplitSeq(tt.headers, "\n") {
			if field, value, found := strings.Cut(line, ": "); found {
				resp.Header.Add(field, value)
			}
		}
		r := refusal.Read(p, "api", known, resp)
		var groups []string
		for _, group := range r.Needs {
			groups = append(groups, strings.Join(group, "|"))
		}
		slices.Sort(groups)
		want := strings.Fields(tt.needs)
		slices.Sort(want)
		if r.Entry.Means != tt.means || r.Entry.Means != "" && !slices.Equal(groups, want) || r.Refuses() != tt.refuses {
			t.Errorf("%s: means %q, needs %q, refuses %v; want %q %q %v", name, r.Entry.Means, groups, r.Refuses(), tt.means, want, tt.refuses)
		}
		if link := r.Entry.LinkAt(p.Servers[0], r.Caught); link != tt.link {
			t.Errorf("%s: the link is %q, want %q", name, link, tt.link)
		}
		if tt.status == 200 && tt.refuses && !refusal.Fails(p, "api", resp) {
			t.Errorf("%s: it is not looked at", name)
		}
		if !refusal.MayRefuse(p, tt.status, resp.Header) {
			t.Errorf("%s: is not looked at", name)
		}
	}
}

// Scopes that an entry names are not looked for elsewhere.
func TestEntryNamesAlone(t *testing.T) {
	r := refusal.Read(entriesProvider(t), "api", refusal.Vocabulary{}, refusal.Response{
		Status: 200, Header: http.Header{"Content-Type": {"application/json"}, "X-Required-Scopes": {"z"}},
		Body: []byte(`{"ok":false,"error":"missing_scope","needed":"a","provided":"c","required_scopes":["y"]}`),
	})
	if !cmp.Equal(r.Names(), []string{"a"}) || !cmp.Equal(r.Held, []string{"c"}) || !r.Counts {
		t.Errorf("needs %q, held %q", r.Names(), r.Held)
	}
}

// What separates the scopes of a response separates those that an entry says where to find.
func TestEntrySeparator(t *testing.T) {
	p, err := provider.Decode("p.yaml", []byte(entries+"scopes: {separator: {response: '|'}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := refusal.Read(p, "api", refusal.Vocabulary{}, refusal.Response{
		Status: 200, Header: http.Header{"Content-Type": {"application/json"}},
		Body: []byte(`{"error":"missing_scope","needed":"r1|w1","provided":"r2|w2"}`),
	})
	if !cmp.Equal(r.Needs, []refusal.Group{{"r1"}, {"w1"}}) || !cmp.Equal(r.Held, []string{"r2", "w2"}) {
		t.Errorf("needs %q, held %q", r.Needs, r.Held)
	}
}

// Whatever comes, comparing it with entries has an end, what is named can be a scope, and a link can
// be shown.
func FuzzEntry(f *testing.F) {
	f.Add(`{"ok":false,"error":"missing_scope","needed":"a,b|c;d","provided":["c",{"x":[1]}]}`, "required; url=https://a.example/{url}", "a=read,b;c or d")
	f.Add(`{"errors":[{"code":17,"message":"at {place}?{what}"},{"code":"odd \u001b[31m"}],"access":"denied","rules":[{"needs":[["a"],"`+"`b`"+` and c"]}]}`, "required; url=https://", ";;|,")
	f.Add(`{"message":"held: {held}; needed: {scope}."}`, "required; url=https://a:b@c#d .", " ")
	f.Add(`[{"error":"gone"}]`, "required; url=https://xn--a.example/\u202e", `"a" or 'b'`)
	p := entriesProvider(f)
	known := refusal.Vocabulary{Scopes: scopes.NewSet("a", "b", "c:d"), Implies: p.Implies}
	f.Fuzz(func(t *testing.T, body, sso, accepted string) {
		header := http.Header{"X-Sso": {sso}, "X-Accepted": {accepted}, "X-Held": {accepted, sso}, "Content-Type": {"application/json"}}
		for _, status := range []int{200, 403, 404, 418} {
			resp := refusal.Response{Status: status, Header: header, Body: []byte(body)}
			r := refusal.Read(p, "api", known, resp)
			link := r.Entry.LinkAt(p.Servers[0], r.Caught)
			if link != "" && (!strings.HasPrefix(link, "https://") || text.Printable(link) != link || len(link) > 1000) {
				t.Errorf("the link %q", link)
			}
			if strings.HasPrefix(r.Entry.Link, "https://x.example/") && link != "" && !strings.HasPrefix(link, "https://x.example/") {
				t.Errorf("the link leads to another host: %q", link)
			}
			if len(r.Names()) > 10_000 || len(r.Proofs) > 10 {
				t.Errorf("%d scopes, %d proofs", len(r.Names()), len(r.Proofs))
			}
			for _, scope := range append(append(r.Names(), r.Words()...), r.Held...) {
				if scopes.CheckScope(scope) != nil {
					t.Errorf("%q", scope)
				}
			}
			if status == 200 && r.Refuses() && !refusal.Fails(p, "api", resp) {
				t.Errorf("a success that is not looked at means %s", r.Entry.Means)
			}
		}
	})
}

// What is caught as a scope ends with the sentence; words that nobody knows are taken for scopes only
// where nothing else stands beside them.
func TestCaughtScopes(t *testing.T) {
	p, err := provider.Decode("p.yaml", []byte("servers: {here: {issuer: 'https://id.example', api: 'https://api.example'}}\nerrors: [{status: 403, text: \"this needs {scope}\", means: missing_scope}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	known := refusal.Vocabulary{Scopes: scopes.NewSet("notes.archive", "notes.read")}
	for said, want := range map[string]string{
		"this needs notes.archive":                                        "[[notes.archive]]",
		"this needs notes.archive.":                                       "[[notes.archive]]",
		"this needs notes.archive. See https://acme.example/docs/scopes.": "[[notes.archive]]",
		"this needs notes.archive (see docs.acme.example)":                "[[notes.archive]]",
		"this needs notes.archive Request ID: 7f3a":                       "[[notes.archive]]",
		"this needs notes.archive! Contact support@acme.example":          "[[notes.archive]]",
		"this needs notes.archive and notes.read.":                        "[[notes.archive] [notes.read]]",
		"this needs notes.archive or notes.read, as its owner":            "[[notes.archive notes.read]]",
		"this needs notes.other.":                                         "[[notes.other]]",
		"this needs https://acme.example/auth/notes.":                     "[[https://acme.example/auth/notes]]",
	} {
		r := refusal.Read(p, "api", known, refusal.Response{Status: 403, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"error": ` + strconv.Quote(said) + `}`)})
		if got := fmt.Sprint(r.Needs); got != want {
			t.Errorf("%q needs %s, want %s", said, got, want)
		}
	}
}
