package manifest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/google/go-cmp/cmp"
)

const (
	lockUS = "https://us.example"
	lockEU = "https://eu.example"
)

func lists(words ...string) scopes.Advertisement {
	return scopes.Advertisement{State: scopes.Listed, Scopes: scopes.NewSet(words...)}
}

// digestOf is a digest as such; which one does not matter to the lock.
func digestOf(words ...string) string {
	return manifest.Digest(scopes.Plan{Request: scopes.NewSet(words...)})
}

// A lock of two servers and of one that does not say, in the order in which nobody
// would write them.
func someLock() *manifest.Lock {
	return (&manifest.Lock{}).
		With(lockUS, lists("user:read", "insight:write", "insight:read"), digestOf("user:read")).
		With("https://silent.example", scopes.Advertisement{}, digestOf("b")).
		With(lockEU, scopes.Advertisement{State: scopes.Empty}, digestOf("a"))
}

func TestLockFile(t *testing.T) {
	testkit.Golden(t, "testdata/lock/some.golden", string(someLock().Bytes()))
	testkit.Golden(t, "testdata/lock/none.golden", string((&manifest.Lock{}).Bytes()))
}

// Words that YAML would take for something else come back as they were.
func TestLockFileKeepsOddScopes(t *testing.T) {
	odd := []string{"*", "true", "null", "~", "123", "0x1f", "1e3", "2026-01-01", "-", "?", "a:", "#a", "a#b", "&a", "!a", "'a'", "`a`", "[a]", "{a}", "%a", "@a", "a,b", "a|b", "|", ">", "=", "<<", "yes", "https://scope.example/read"}
	lock := (&manifest.Lock{}).With(lockUS, lists(odd...), digestOf())
	back, err := manifest.DecodeLock("scopes.lock", lock.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if drift := back.Drift(lockUS, lists(odd...)); len(drift) > 0 {
		t.Errorf("after writing and reading, %v", drift)
	}
}

func TestLockFileIsStable(t *testing.T) {
	want := string(someLock().Bytes())
	back, err := manifest.DecodeLock("scopes.lock", []byte(want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(back.Bytes())); diff != "" {
		t.Errorf("read and written again, it differs (-first +second):\n%s", diff)
	}
	same := back.With(lockUS, lists("insight:read", "insight:write", "user:read"), digestOf("user:read"))
	if diff := cmp.Diff(want, string(same.Bytes())); diff != "" {
		t.Errorf("the same word in another order changes the file:\n%s", diff)
	}
	head, servers, _ := strings.Cut(want, "servers:\n")
	list := strings.SplitAfter(servers, "\n  - ")
	if len(list) != 3 {
		t.Fatalf("%d servers", len(list))
	}
	last := "  - " + strings.TrimSuffix(list[2], "\n") + "\n"
	turned := head + "servers:\n" + last + strings.TrimSuffix(list[0]+list[1], "  - ")
	if back, err = manifest.DecodeLock("scopes.lock", []byte(turned)); err != nil || string(back.Bytes()) != want {
		t.Errorf("servers in another order are not put into order: %v", err)
	}
	merged := strings.Replace(want, "      - insight:read\n      - insight:write\n", "      - insight:write\n      - insight:read\n", 1)
	if merged == want {
		t.Fatal("the file does not look as this test thinks")
	}
	if back, err = manifest.DecodeLock("scopes.lock", []byte(merged)); err != nil || string(back.Bytes()) != want {
		t.Errorf("a file that was merged by hand is not put into order: %v", err)
	}
}

// With changes one server, and not the lock that it was asked of.
func TestLockWith(t *testing.T) {
	lock := someLock()
	before := string(lock.Bytes())
	next := lock.With(lockUS, lists("user:read", "not a scope", ""), digestOf("x"))
	if diff := cmp.Diff(before, string(lock.Bytes())); diff != "" {
		t.Errorf("the old lock changed:\n%s", diff)
	}
	if got, ok := next.Negotiated(lockUS); got != digestOf("x") || !ok {
		t.Errorf("Negotiated = %q, %v", got, ok)
	}
	if got, ok := next.Negotiated(lockEU); got != digestOf("a") || !ok {
		t.Errorf("another server is now %q, %v", got, ok)
	}
	if got, ok := next.Negotiated("https://us.example/"); got != "" || ok {
		t.Errorf("a server that nobody locked is %q, %v", got, ok)
	}
	if _, err := manifest.DecodeLock("scopes.lock", next.Bytes()); err != nil {
		t.Errorf("a server that advertises what is no scope makes a file that cannot be read: %v", err)
	}
}

func TestLockDrift(t *testing.T) {
	vanished, added := func(s string) manifest.Drift { return manifest.Drift{Kind: "vanished", Scope: s} }, func(s string) manifest.Drift { return manifest.Drift{Kind: "new", Scope: s} }
	for name, c := range map[string]struct {
		locked, now scopes.Advertisement
		want        []manifest.Drift
	}{
		"none":              {lists("a", "b"), lists("b", "a"), nil},
		"vanished":          {lists("a", "b", "c"), lists("b"), []manifest.Drift{vanished("a"), vanished("c")}},
		"new":               {lists("b"), lists("c", "b", "a"), []manifest.Drift{added("a"), added("c")}},
		"renamed":           {lists("a", "m"), lists("a", "b"), []manifest.Drift{vanished("m"), added("b")}},
		"sorted":            {lists("z", "y"), lists("x", "w"), []manifest.Drift{vanished("y"), vanished("z"), added("w"), added("x")}},
		"no scope is added": {lists("a"), lists("a", "b c"), nil},
		"list withdrawn":    {lists("a"), scopes.Advertisement{State: scopes.Absent}, nil},
		"list emptied":      {lists("a"), scopes.Advertisement{State: scopes.Empty}, nil},
		"list appears":      {scopes.Advertisement{}, lists("a"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			lock := (&manifest.Lock{}).With(lockUS, c.locked, digestOf())
			if diff := cmp.Diff(c.want, lock.Drift(lockUS, c.now)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got := lock.Drift(lockEU, lists("x")); got != nil {
				t.Errorf("of a server that the lock does not know it says %v", got)
			}
		})
	}
}

// The digest is of what was negotiated, and of nothing else.
func TestDigest(t *testing.T) {
	needs := func(text string) []scopes.Need {
		m, err := manifest.Decode("m.yaml", []byte("version: 1\nname: n\nprovider: https://us.example\nscopes:\n"+text), nil)
		if err != nil {
			t.Fatal(err)
		}
		return m.Scopes
	}
	const a, b = "  - {scope: a, level: required, why: w}\n", "  - {scope: b, level: optional}\n"
	plan := scopes.Negotiate(scopes.Negotiation{Needs: needs(a + b), Server: lists("a", "b")})
	digest := manifest.Digest(plan)
	if !strings.HasPrefix(digest, "sha256:") || len(digest) != len("sha256:")+64 {
		t.Fatalf("Digest = %q", digest)
	}

	for name, p := range map[string]scopes.Plan{
		"another order":      scopes.Negotiate(scopes.Negotiation{Needs: needs(b + a), Server: lists("a", "b")}),
		"another reason":     scopes.Negotiate(scopes.Negotiation{Needs: needs(strings.Replace(a, "w}", "because}", 1) + b), Server: lists("a", "b")}),
		"more is advertised": scopes.Negotiate(scopes.Negotiation{Needs: needs(a + b), Server: lists("a", "b", "c")}),
	} {
		if got := manifest.Digest(p); got != digest {
			t.Errorf("%s: %q, want the same as before, %q", name, got, digest)
		}
	}

	seen := map[string]string{digest: "the first"}
	for name, q := range map[string]scopes.Negotiation{
		"a need more":     {Needs: needs(a + b + "  - {scope: c, level: optional}\n"), Server: lists("a", "b", "c")},
		"a need less":     {Needs: needs(a), Server: lists("a", "b")},
		"one is withheld": {Needs: needs(a + b), Server: lists("a")},
		"all is withheld": {Needs: needs(a + b), Server: lists("c")},
		"an alternative":  {Needs: needs(a + "  - {any_of: [b, c], level: optional}\n"), Server: lists("a", "b")},
		"the other one":   {Needs: needs(a + "  - {any_of: [b, c], level: optional}\n"), Server: lists("a", "c")},
		"unadvertised":    {Needs: needs(a + "  - {scope: b, level: optional, advertised: false}\n"), Server: lists("a")},
	} {
		got := manifest.Digest(scopes.Negotiate(q))
		if other, there := seen[got]; there {
			t.Errorf("%q has the digest of %q", name, other)
		}
		seen[got] = name
	}
}

// Each file of testdata/lock is refused with the lines of the .out beside it.
func TestLockMistakes(t *testing.T) {
	for _, file := range yamlFiles(t, "lock") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			lock, err := manifest.DecodeLock("scopes.lock", text)
			var mistakes yamlfile.Mistakes
			if !errors.As(err, &mistakes) || lock != nil {
				t.Fatalf("DecodeLock = %v, %v; want no lock, and Mistakes", lock, err)
			}
			var out strings.Builder
			for _, one := range mistakes {
				fmt.Fprintf(&out, "%v [%s]\n", one, one.Kind)
			}
			testkit.Golden(t, strings.TrimSuffix(file, ".yaml")+".out", out.String())
		})
	}
	large := slices.Concat(someLock().Bytes(), []byte(strings.Repeat("#", yamlfile.MaxFileSize)))
	if _, err := manifest.DecodeLock("scopes.lock", large); err == nil || !strings.Contains(err.Error(), "scopes.lock:1:1: the file is larger than 1 MiB") {
		t.Errorf("a file of more than 1 MiB: %v", err)
	}
}

func FuzzDecodeLock(f *testing.F) {
	seeds(f, "lock/*.yaml")
	seeds(f, "lock/*.golden")
	f.Fuzz(func(t *testing.T, text []byte) {
		lock, err := manifest.DecodeLock("scopes.lock", text)
		if err != nil {
			checkMistakes(t, err, text)
			return
		}
		written := lock.Bytes()
		if len(written) > yamlfile.MaxFileSize {
			return // says so when it is read
		}
		back, err := manifest.DecodeLock("scopes.lock", written)
		if err != nil {
			t.Fatalf("what it wrote it does not read: %v\n%s", err, written)
		}
		if string(back.Bytes()) != string(written) {
			t.Errorf("%s\nbecomes\n%s", written, back.Bytes())
		}
	})
}
