package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

// TestProvidersPageTable compares the table of docs/providers.md with the provider files, or writes it with -update.
func TestProvidersPageTable(t *testing.T) {
	const mark = "-update -->\n"
	page := read(t, "docs/providers.md")
	before, now, ok := strings.Cut(page, mark)
	if !ok {
		t.Fatal("docs/providers.md has no place for the table")
	}
	want := providersTable(t)
	if testkit.Updating() && !t.Failed() {
		if err := os.WriteFile(filepath.Join(root, "docs/providers.md"), []byte(before+mark+want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, now); diff != "" {
		t.Errorf("docs/providers.md is not what the files say; write it with -update (-want +got):\n%s", diff)
	}
}

// TestProvidersMeasure counts, for whoever runs it with -v, the lines of each provider's file without comments, its
// scenarios and the exchanges in them, and what its service does not reveal.
func TestProvidersMeasure(t *testing.T) {
	folder := filepath.Join(root, "scopes/provider/providers")
	for _, name := range provider.BuiltinNames() {
		lines := 0
		for line := range strings.Lines(read(t, "scopes/provider/providers/"+name+".yaml")) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				lines++
			}
		}
		scenarios, exchanges := 0, 0
		files, _ := filepath.Glob(filepath.Join(folder, name, "*"))
		for _, file := range files {
			scenarios += len(strings.Split(filepath.Base(file), ".txtar")) - 1
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			exchanges += len(aRequest.FindAllIndex(text, -1))
		}
		if scenarios == 0 || exchanges < scenarios {
			t.Errorf("%s: %d scenarios, %d exchanges", name, scenarios, exchanges)
		}
		t.Logf("%-12s %3d lines, %2d scenarios, %3d exchanges; not said: %s", name, lines, scenarios, exchanges, strings.Join(providerOf(t, name).CannotTell, "; "))
	}
}

// aRequest begins an exchange.
var aRequest = regexp.MustCompile(`(?m)^>[1+*]? [A-Z]+ https?://`)

func providersTable(t *testing.T) string {
	var b strings.Builder
	b.WriteString("\n| provider | scopes known | grant read | refusal read | account named | what the service does not reveal |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, name := range provider.BuiltinNames() {
		p := providerOf(t, name)
		if len(p.CannotTell) == 0 {
			t.Errorf("%s.yaml says nothing under cannot_tell: no service tells all", name)
		}
		cells := []string{"`" + name + "`", scopesKnown(p), grantRead(p), refusalRead(p), accountNamed(p), strings.Join(p.CannotTell, "; ")}
		for i := range cells {
			cells[i] = strings.ReplaceAll(cells[i], "|", `\|`)
		}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	return b.String()
}

// scopesKnown is where a provider's scopes can be found out.
func scopesKnown(p *provider.Provider) string {
	if p.Scopes.NoRequest {
		return "set at the server, with the client"
	}
	var from []string
	listed := slices.ContainsFunc(p.Servers, func(s provider.Server) bool {
		_, given := s.Metadata["scopes_supported"]
		return given || !s.NoDocument
	})
	if listed && hasLogin(p) {
		from = append(from, map[bool]string{false: "the server's list", true: "the server's list, which is partial"}[p.Scopes.Partial])
	}
	if n := len(p.Scopes.Table); n > 0 {
		from = append(from, fmt.Sprintf("a table of %d", n))
	}
	return or(strings.Join(from, "; "), "no")
}

// hasLogin reports whether the file speaks of a login at all, and not of keys alone.
func hasLogin(p *provider.Provider) bool {
	return !reflect.DeepEqual(p.Client, provider.Client{}) || slices.ContainsFunc(p.Credentials, func(k provider.CredentialKind) bool { return k.Renewable })
}

// grantRead are the kinds of credential that tell what they hold.
func grantRead(p *provider.Provider) string {
	var asked, permissions []string
	loginRead := false
	for _, kind := range p.Credentials {
		readable := false
		for _, way := range kind.Inspect {
			readable = readable || way.Scopes.Given()
		}
		switch name := kindName(kind); {
		case kind.Permissions:
			permissions = append(permissions, name)
		case readable:
			asked = append(asked, name)
			loginRead = loginRead || kind.Renewable
		}
	}
	if !loginRead && hasLogin(p) && saysHow(p) {
		asked = append(asked, "a login, where metadata offers that")
	}
	text := or(strings.Join(asked, ", "), map[bool]string{true: "at the login alone", false: "no"}[hasLogin(p)])
	if len(permissions) > 0 {
		text += "; permissions: " + strings.Join(permissions, ", ")
	}
	return text
}

// saysHow reports whether a server may name an introspection endpoint.
func saysHow(p *provider.Provider) bool {
	return slices.ContainsFunc(p.Servers, func(s provider.Server) bool {
		_, given := s.Metadata["introspection_endpoint"]
		return given || !s.NoDocument
	})
}

// kindName is a kind as people see it at the beginning of a credential, else in the file's words.
func kindName(kind provider.CredentialKind) string {
	switch {
	case kind.Prefix != "":
		return "`" + kind.Prefix + "`"
	case kind.Kind == scopes.AccessToken:
		return "a login"
	case kind.Pattern == "":
		return "any other"
	}
	return strings.ReplaceAll(string(kind.Kind), "_", " ")
}

// refusalRead is what a refused call says of why.
func refusalRead(p *provider.Provider) string {
	named, told, others := false, false, 0
	for _, r := range p.Voice().Refusals {
		switch r.Means {
		case provider.MeaningMissingScope:
			told = true
			named = named || r.Needs.Given() || r.AnyOf || catchesScope(r) // any one of those in a challenge
		case provider.MeaningNotAScopeProblem:
			others++
		}
	}
	said := "what a challenge says" // RFC 6750 §3
	switch {
	case named:
		said = "the scope"
	case told:
		said = "that one is missing, not which"
	}
	if others == 0 {
		return said + "; no others"
	}
	return fmt.Sprintf("%s; %s", said, text.Count(others, "other reason"))
}

// catchesScope reports whether a text of the refusal has the scope in it.
func catchesScope(r provider.Refusal) bool {
	texts := append([]string{r.Text}, r.Is...)
	for _, h := range r.Headers {
		texts = append(texts, h.Text)
	}
	return strings.Contains(strings.Join(texts, " "), "{"+provider.CaughtScope+"}")
}

// accountNamed is by what ambit says whose credential it is.
func accountNamed(p *provider.Provider) string {
	var from []string
	if p.Whoami.Ask.URL != "" || len(p.TokenResponse.Account) > 0 {
		from = append(from, "a login")
	}
	for _, kind := range p.Credentials {
		if p.Whoami.Ask.URL != "" && len(kind.Inspect) > 0 && !kind.Permissions && !kind.Renewable && kind.Serves(p.Whoami.Ask.Base()) {
			from = append(from, kindName(kind))
		}
		for _, way := range kind.Inspect {
			if name := kindName(kind); way.Account.Given() && (!slices.Contains(from, name)) {
				from = append(from, name)
			}
		}
	}
	return or(strings.Join(from, ", "), "no")
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
