package manifest_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// seeds adds every file of a testdata directory.
func seeds(f *testing.F, pattern string) {
	files, err := filepath.Glob("testdata/" + pattern)
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds in testdata/%s: %v", pattern, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
}

// lines counts lines as YAML 1.1 breaks them.
func lines(text []byte) int {
	s := strings.ReplaceAll(string(text), "\r\n", "\n")
	for _, other := range []string{"\r", "\u0085", "\u2028", "\u2029"} {
		s = strings.ReplaceAll(s, other, "\n")
	}
	return strings.Count(s, "\n") + 1
}

// checkMistakes holds what is true of every mistake: it has a place in the file, and
// one printable line of words. UTF-16 is read too, where lines are counted otherwise.
func checkMistakes(t *testing.T, err error, text []byte) {
	var mistakes yamlfile.Mistakes
	if !errors.As(err, &mistakes) || len(mistakes) == 0 || len(mistakes) > 101 {
		t.Fatalf("the error is %T with %d mistakes", err, len(mistakes))
	}
	wide := strings.HasPrefix(string(text), "\xff\xfe") || strings.HasPrefix(string(text), "\xfe\xff")
	for i, m := range mistakes {
		if m.Line < 1 || m.Column < 1 || !wide && (m.Line > lines(text) || m.Column > len(text)+1) {
			t.Errorf("%v stands outside of a file of %d lines", m, lines(text))
		}
		if m.Kind == "" || m.Message == "" || strings.ContainsAny(m.Error(), "\n\r\x1b") {
			t.Errorf("mistake %q of kind %q", m.Error(), m.Kind)
		}
		if i > 0 && (m.Line < mistakes[i-1].Line || m.Line == mistakes[i-1].Line && m.Column < mistakes[i-1].Column) {
			t.Errorf("%v stands behind %v", m, mistakes[i-1])
		}
	}
}

func FuzzDecode(f *testing.F) {
	seeds(f, "mistakes/*.yaml")
	seeds(f, "good/*.yaml")
	seeds(f, "../../../scopes.yaml")
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := manifest.Decode("scopes.yaml", text, nil)
		if err != nil {
			checkMistakes(t, err, text)
			return
		}
		needs, err := m.Select(m.ProgramNames()...)
		if err != nil {
			t.Fatal(err)
		}
		plan := scopes.Negotiate(scopes.Negotiation{Needs: needs, Implies: m.Provider.Implies})
		if len(plan.Blocked) > 0 {
			t.Errorf("a server that does not say blocks %v", plan.Blocked)
		}
		if gap := scopes.Compare(needs, scopes.Grant{Scopes: plan.Request}, m.Provider.Implies); len(gap.Lost) > 0 || gap.Excess.Len() > 0 {
			t.Errorf("granted what was asked, %q, yet %v lacks and %q is too much", plan.Request, gap.Missing, gap.Excess)
		}
		if back, err := scopes.ParseSet(plan.Request.String()); err != nil || back.String() != plan.Request.String() {
			t.Errorf("the request %q is no scope parameter: %v", plan.Request, err)
		}
	})
}

func FuzzDecodeProvider(f *testing.F) {
	seeds(f, "mistakes/providers/*.yaml")
	seeds(f, "../../provider/providers/*.yaml")
	f.Add([]byte("parameters: {host: a.example, t: x}\nservers: {s: {issuer: \"https://{host}/{t}\", b: \"https://{t}.{host}:8443/{t}x\"}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := provider.Decode("p.yaml", text)
		if err != nil {
			checkMistakes(t, err, text)
			return
		}
		hosts := strings.Join(p.Hosts(), " ")
		for _, s := range p.Servers {
			for _, b := range append(s.Bases, provider.Base{Name: provider.IssuerBase, URL: s.Issuer}) {
				if strings.ContainsAny(b.URL, "{}") || !strings.Contains(" "+hosts+" ", " "+provider.HostOf(b.URL)+" ") {
					t.Errorf("base %s of %q is %q, and Hosts names only %s", b.Name, s.Name, b.URL, hosts)
				}
			}
			for _, k := range p.Credentials {
				for _, way := range k.Inspect {
					u, ok := s.Expand(way.URL)
					if ok && u != "" && !strings.Contains(" "+hosts+" ", " "+provider.HostOf(u)+" ") {
						t.Errorf("a key would be sent to %q, and Hosts names only %s", u, hosts)
					}
				}
				p.KindOf("a" + k.Prefix + k.Pattern) // every pattern that was read compiles
			}
		}
		_, known := p.Lookup(p.DefaultServer)
		if _, open := p.OpenServer(p.DefaultServer); !known && !open {
			t.Errorf("the default server %q is none of %v", p.DefaultServer, p.ServerNames())
		}
		for range p.Implies.Covering("x:read") {
		}
	})
}
