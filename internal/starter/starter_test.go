package starter_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ambit-auth/ambit/internal/starter"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// entry is a comment that is an entry of the list.
var entry = regexp.MustCompile(`(?m)^  # (- \{)`)

// begun is a new manifest at a server that lists these scopes and says that about each; needs are declared.
func begun(list []string, about string, uses []scopes.Operation, needs ...scopes.Need) string {
	server := scopes.Advertisement{State: scopes.Listed, Scopes: scopes.NewSet(list...)}
	offer := scopes.NewOffer(server, nil, func(string) string { return about })
	choice := starter.NewChoice("id.example offers", offer, server, needs)
	for i := range choice.Offered {
		choice.Offered[i].UsedBy = uses
	}
	m := starter.Manifest{Name: "app", Service: starter.Service{Use: "https://id.example"}, Needs: needs, Choice: choice}
	return string(m.Text())
}

func decoded(t *testing.T, text string) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Decode("scopes.yaml", []byte(text), nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return m
}

// many are as many scopes as the largest service has, half of them for reading.
func many(n int) (list []string) {
	for i := range n / 2 {
		list = append(list, fmt.Sprintf("thing_%d:write", i), fmt.Sprintf("thing_%d:read", i))
	}
	return list
}

// Whatever a server lists, and whatever anybody says about it: each comment is an entry once its "# " is
// gone, by itself and with all others, and no line is too long to be read.
func TestComments(t *testing.T) {
	odd := []string{
		"-x:y", "-", "---", "...", "a#b", "#c", "'q'", "&x", "*x", "!t", "!!str", "%d", "?", "~", "null", "1", "1e3", "true", "on", "<<", "=", "[a]", "{b}", "{scope:c}",
		"a,b", "a:", ":a", "|", ">", "@", "`t`", "0x1f", "2027-01-31", "https://svc.example/auth/a.readonly", "https://svc.example/", strings.Repeat("y", 190),
	}
	declared := scopes.Need{AnyOf: []string{"1"}, Level: scopes.Required, Why: "it is there already"}
	uses := []scopes.Operation{{Method: "GET", Base: "issuer", Path: "/a/{b}"}, {Tool: "t"}, {Method: "POST", Base: "issuer", Path: "/" + strings.Repeat("long/", 30)}}
	for name, text := range map[string]string{
		"one":            begun([]string{"read"}, "", nil),
		"twelve":         begun(many(12), "reads and writes: all of it", uses),
		"many":           begun(many(234), "what a long description of a scope says, "+strings.Repeat("and says again, ", 20), nil),
		"odd":            begun(odd, "", nil),
		"odd, one there": begun(odd, `a: "b" # c \ 'd'`+"\n- e: f\r\n\x1b[31m\u202e\u2028 {g}", uses, declared),
	} {
		t.Run(name, func(t *testing.T) {
			before := len(decoded(t, text).Scopes)
			places := entry.FindAllStringIndex(text, -1)
			if len(places) == 0 {
				t.Fatalf("no comments:\n%s", text)
			}
			for _, at := range places {
				m := decoded(t, text[:at[0]]+"  "+text[at[0]+len("  # "):])
				if len(m.Scopes) != before+1 {
					t.Errorf("%d scopes with one comment more", len(m.Scopes))
				}
			}
			all := decoded(t, entry.ReplaceAllString(text, "  $1"))
			if len(all.Scopes) != before+len(places) {
				t.Errorf("%d scopes of %d comments", len(all.Scopes), len(places))
			}
			for line := range strings.Lines(text) {
				if n := utf8.RuneCountInString(line); n > 120 && !strings.Contains(line, strings.Repeat("y", 99)) && (n > 205 || strings.Count(line, "issuer}")+strings.Count(line, "tool:") != 1) {
					t.Errorf("%d characters: %s", n, line)
				}
				if strings.ContainsAny(line, "\x1b\r\u202e\u2028") {
					t.Errorf("not fit to be shown: %q", line)
				}
			}
		})
	}
}

// What a scope allows is not cut to fit beside it: it stands above, and the operations that need it stay.
func TestDescriptionsStay(t *testing.T) {
	const about = "See, edit, create and delete all of your files, whoever made them, and share them"
	text := begun([]string{"https://www.svc.example/auth/files"}, about, []scopes.Operation{{Method: "GET", Base: "issuer", Path: "/files/v3/files/{id}"}})
	if !strings.Contains(text, "\n  # # "+about+"\n  # - {scope: \"https://www.svc.example/auth/files\", level: required, used_by: [\"GET {issuer}/files/v3/files/{id}\"]}\n") {
		t.Error(text)
	}
}

// A list of any length can be read: groups apart where there are few, and a line for each where there are many.
func TestLengths(t *testing.T) {
	for n, want := range map[int]int{2: 3, 12: 18, 60: 90, 234: 235} {
		text := begun(many(n), "", nil)
		_, list, _ := strings.Cut(text, "scopes:\n")
		list, _, _ = strings.Cut(list, "\n\n# Sets of features")
		if got := strings.Count(list, "\n") + 1; got != want {
			t.Errorf("%d scopes take %d lines, not %d:\n%s", n, got, want, list)
		}
	}
}

// Of a list that has no end the first part stands there, and how much is left out.
func TestEndlessList(t *testing.T) {
	list := append(many(20_000), strings.Repeat("x", 5000))
	text := begun(list, strings.Repeat("words ", 100), nil)
	if n := len(entry.FindAllString(text, -1)); n != starter.MaxOffered {
		t.Errorf("%d comments", n)
	}
	if len(text) > yamlfile.MaxFileSize/2 || !regexp.MustCompile(`Left out, for which there is no room: .* and \d+\s+(# )?more\.`).MatchString(strings.ReplaceAll(text, "\n  # ", " ")) {
		t.Errorf("%d bytes", len(text))
	}
	all := entry.ReplaceAllString(text, "  $1")
	if m := decoded(t, all); len(m.Scopes) != starter.MaxOffered || len(all) > yamlfile.MaxFileSize {
		t.Errorf("%d scopes in %d bytes", len(m.Scopes), len(all))
	}
}

// What plan would not let pass is no comment: a sentence names it.
func TestLeftOut(t *testing.T) {
	except, err := scopes.NewForms("sudo")
	if err != nil {
		t.Fatal(err)
	}
	server := scopes.Advertisement{State: scopes.Listed, Scopes: scopes.NewSet("a", "sudo"), Except: except, Known: scopes.NewSet("a", "gone")}
	offer := scopes.NewOffer(server, []scopes.Resource{{Base: "mcp", Advertises: scopes.Advertisement{State: scopes.Listed, Scopes: scopes.NewSet("theirs")}}}, nil)
	c := starter.NewChoice("id.example offers", offer, server, nil)
	if len(c.Offered) != 1 || c.Offered[0].Name() != "a" {
		t.Errorf("offered: %v", c.Offered)
	}
	want := []string{
		"Left out, which ordinary people are not granted: sudo.",
		"Left out, which the server does not list (one that it grants nevertheless needs advertised: false): gone, theirs.",
	}
	if fmt.Sprint(c.LeftOut) != fmt.Sprint(want) {
		t.Errorf("%q", c.LeftOut)
	}
}

// The provider is written as a manifest takes it, with a line for what only a person knows.
func TestService(t *testing.T) {
	spelled := provider.Server{
		Issuer: "https://id.example/#odd: \"x\"", NoDocument: true, Bases: []provider.Base{{Name: "api", URL: "https://api.example/v1"}},
		Metadata: map[string]any{"authorization_endpoint": "https://id.example/a", "token_endpoint": "https://id.example/t"},
	}
	own := spelled
	own.Issuer = "https://id.example"
	for name, tt := range map[string]struct {
		service starter.Service
		wrong   bool // as somebody who fills nothing in leaves it
	}{
		"a word":      {starter.Service{Use: "https://id.example"}, false},
		"a client":    {starter.Service{Use: "https://id.example", Register: "http://127.0.0.1/callback (on any port)", Secret: starter.VariableFor("3 odd-näme")}, false},
		"a server":    {starter.Service{Server: &own}, false},
		"an odd one":  {starter.Service{Server: &spelled}, true},
		"no issuer":   {starter.Service{Use: "not: a # provider"}, true},
		"with client": {starter.Service{Server: &own, Register: "http://127.0.0.1/callback"}, false},
	} {
		m := starter.Manifest{Name: "odd: \"name\" # \\", Service: tt.service}
		text := string(m.Text())
		d, err := manifest.Decode("scopes.yaml", []byte(text), nil)
		if (err != nil) != tt.wrong {
			t.Errorf("%s: %v\n%s", name, err, text)
			continue
		}
		if tt.service.Register != "" {
			with := strings.Replace(text, "# client:", "client:", 1)
			if d := decoded(t, with); d.Provider.Client.ID != "YOUR-CLIENT-ID" || d.Name != m.Name {
				t.Errorf("%s: client %+v of %q", name, d.Provider.Client, d.Name)
			}
		}
		if err == nil && d.Provider.Servers[0].Issuer != "https://id.example" {
			t.Errorf("%s: %+v", name, d.Provider.Servers)
		}
	}
}

// The page about manifests shows what is written.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/manifest.md")
	if err != nil {
		t.Fatal(err)
	}
	first := scopes.Need{AnyOf: []string{"openid"}, Level: scopes.Required, Why: "who is logging in"}
	text := strings.ReplaceAll(begun([]string{"openid", "notes:read", "notes:write"}, "", nil, first), "id.example", "auth.example.com")
	_, list, _ := strings.Cut(text, "\nscopes:\n")
	list, _, _ = strings.Cut(list, "\n\n# Sets of features")
	if !strings.Contains(string(page), "```text\nscopes:\n"+list+"\n```") {
		t.Errorf("docs/manifest.md does not show\n%s", list)
	}
}
