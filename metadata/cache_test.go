package metadata_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ambit-auth/ambit/metadata"
)

// cached is a client whose cache holds the document of a server that has been
// asked once.
type cached struct {
	*server
	*clock
	client metadata.Client
}

func newCached(t *testing.T, headers ...string) *cached {
	t.Helper()
	c := &cached{server: newServer(t), clock: newClock()}
	c.on(oauthPath, sends(serverFields(c.URL).json(t), headers...))
	c.client = metadata.Client{Now: c.Now, CacheDir: filepath.Join(t.TempDir(), "new", "cache")}
	c.ask(t)
	c.requests()
	return c
}

func (c *cached) ask(t *testing.T) *metadata.AuthorizationServer {
	t.Helper()
	as, err := c.client.AuthorizationServer(context.Background(), c.URL)
	if err != nil {
		t.Fatal(err)
	}
	return as
}

// file is the only file in the cache, "" if there is none.
func (c *cached) file(t *testing.T) string {
	t.Helper()
	entries, err := os.ReadDir(c.client.CacheDir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	switch len(entries) {
	case 0:
		return ""
	case 1:
		return filepath.Join(c.client.CacheDir, entries[0].Name())
	}
	t.Fatalf("files in the cache: %v", entries)
	return ""
}

func TestLifeOfADocument(t *testing.T) {
	date := newClock().now.Add(-time.Hour).Format(http.TimeFormat) // a server whose clock is behind
	later := newClock().now.Add(-time.Hour + 10*time.Minute).Format(http.TimeFormat)
	tests := map[string]struct {
		headers []string
		life    time.Duration
	}{
		"nothing said":         {nil, 5 * time.Minute},
		"max-age":              {[]string{"Cache-Control", "public, Max-Age=3600"}, time.Hour},
		"max-age in quotes":    {[]string{"Cache-Control", `max-age="60"`}, time.Minute},
		"max-age with age":     {[]string{"Cache-Control", "max-age=3600", "Age", "600"}, 50 * time.Minute},
		"older than max-age":   {[]string{"Cache-Control", "max-age=60", "Age", "600"}, 0},
		"a year":               {[]string{"Cache-Control", "max-age=31536000"}, 24 * time.Hour},
		"beyond all numbers":   {[]string{"Cache-Control", "max-age=99999999999999999999999"}, 24 * time.Hour},
		"max-age 0":            {[]string{"Cache-Control", "max-age=0"}, 0},
		"max-age nonsense":     {[]string{"Cache-Control", "max-age=soon"}, 0},
		"negative":             {[]string{"Cache-Control", "max-age=-5"}, 0},
		"no-cache":             {[]string{"Cache-Control", "no-cache, max-age=3600"}, 0},
		"for shared caches":    {[]string{"Cache-Control", "s-maxage=3600"}, 5 * time.Minute},
		"Expires":              {[]string{"Expires", later, "Date", date}, 10 * time.Minute},
		"Expires, no date":     {[]string{"Expires", "0"}, 0},
		"max-age over Expires": {[]string{"Cache-Control", "max-age=60", "Expires", later, "Date", date}, time.Minute},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCached(t, test.headers...)
			if test.life > 0 {
				c.advance(test.life - time.Second)
				as := c.ask(t)
				if asked := c.requests(); asked != nil {
					t.Errorf("asked %q within the life", asked)
				}
				if as.Source.From != metadata.FromCache || as.Source.Stale || as.Source.Age != test.life-time.Second || as.Source.URL != c.URL+oauthPath {
					t.Errorf("source %+v", as.Source)
				}
				c.advance(time.Second)
			}
			if as := c.ask(t); as.Source.From != metadata.FromNetwork || len(c.requests()) != 1 {
				t.Errorf("not asked after %s: %+v", test.life, as.Source)
			}
		})
	}
}

func TestNoStoreLeavesNothing(t *testing.T) {
	c := newCached(t)
	if c.file(t) == "" {
		t.Fatal("nothing was kept to begin with")
	}
	c.advance(time.Hour)
	c.on(oauthPath, sends(serverFields(c.URL).json(t), "Cache-Control", "no-store, max-age=60"))
	c.ask(t)
	if file := c.file(t); file != "" {
		t.Errorf("%s was kept", file)
	}
}

func TestWarningsSurviveTheCache(t *testing.T) {
	c := newCached(t)
	c.advance(time.Hour)
	c.on(oauthPath, sends(serverFields(c.URL).with(fields{"scopes_supported": []string{}}).json(t)))
	first, second := c.ask(t), c.ask(t)
	if second.Source.From != metadata.FromCache {
		t.Fatalf("source %+v", second.Source)
	}
	wantWarning(t, second.Source, "scopes_supported")
	if diff := cmp.Diff(first.ScopesSupported, second.ScopesSupported); diff != "" {
		t.Error(diff)
	}
}

func TestRevalidation(t *testing.T) {
	c := newCached(t, "ETag", `"v1"`, "Cache-Control", "max-age=600")
	c.advance(time.Hour)
	c.on(oauthPath, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("If-None-Match"); got != `"v1"` {
			t.Errorf("If-None-Match is %q", got)
		}
		w.WriteHeader(http.StatusNotModified)
	})
	as := c.ask(t)
	if as.Source.From != metadata.FromNetwork || as.Source.Age != 0 || as.TokenEndpoint != c.URL+"/token" {
		t.Errorf("source %+v", as.Source)
	}
	c.advance(10*time.Minute - time.Second)
	if as := c.ask(t); as.Source.From != metadata.FromCache || as.Source.Age != 10*time.Minute-time.Second {
		t.Errorf("a 304 does not renew: %+v", as.Source)
	}
	if asked := c.requests(); len(asked) != 1 {
		t.Errorf("asked %q", asked)
	}
	c.advance(time.Second)
	c.on(oauthPath, answers(304, "Cache-Control", "max-age=7200", "ETag", `"v2"`))
	c.ask(t)
	c.advance(2*time.Hour - time.Second)
	if as := c.ask(t); as.Source.From != metadata.FromCache {
		t.Errorf("the life in a 304 does not count: %+v", as.Source)
	}
	c.advance(time.Hour)
	c.ask(t)
	if got := c.lastHeader().Get("If-None-Match"); got != `"v2"` {
		t.Errorf("If-None-Match is %q", got)
	}
}

func TestStaleAsksWithETag(t *testing.T) {
	c := newCached(t, "ETag", `W/"v1"`)
	c.advance(time.Hour)
	as := c.ask(t)
	if asked := c.requests(); len(asked) != 1 || as.Source.From != metadata.FromNetwork {
		t.Errorf("asked %q, source %+v", asked, as.Source)
	}
	if got := c.lastHeader().Get("If-None-Match"); got != `W/"v1"` {
		t.Errorf("If-None-Match is %q", got)
	}
}

func TestClockSetBack(t *testing.T) {
	c := newCached(t)
	c.advance(-time.Hour)
	if as := c.ask(t); as.Source.From != metadata.FromNetwork {
		t.Errorf("a document from the future is fresh: %+v", as.Source)
	}
	c.on(oauthPath, answers(500))
	c.advance(-time.Hour)
	if as := c.ask(t); !as.Source.Stale || as.Source.Age != 0 {
		t.Errorf("source %+v", as.Source)
	}
}

func TestCacheFileIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no permission bits")
	}
	c := newCached(t)
	for path, want := range map[string]os.FileMode{c.file(t): 0o600, c.client.CacheDir: 0o700} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
	}
}

// Whatever lies in the cache is believed no more than a response from the net.
func TestHostileCacheFile(t *testing.T) {
	edit := func(name string, value any) func(t *testing.T, raw []byte) []byte {
		return func(t *testing.T, raw []byte) []byte {
			var e fields
			if err := json.Unmarshal(raw, &e); err != nil {
				t.Fatal(err)
			}
			if _, ok := e[name]; !ok {
				t.Fatalf("the cache file has no %s", name)
			}
			return e.with(fields{name: value}).json(t)
		}
	}
	tests := map[string]func(t *testing.T, raw []byte) []byte{
		"empty":            func(*testing.T, []byte) []byte { return nil },
		"cut":              func(_ *testing.T, raw []byte) []byte { return raw[:len(raw)/2] },
		"not JSON":         func(*testing.T, []byte) []byte { return []byte("\x00\x01") },
		"huge":             func(_ *testing.T, raw []byte) []byte { return append(raw, bytes.Repeat([]byte(" "), 2<<20)...) },
		"another version":  edit("version", 99),
		"another issuer":   edit("asked", "https://evil.example"),
		"another kind":     edit("kind", "protected_resource"),
		"another place":    edit("url", "http://127.0.0.1:1/evil"),
		"a local endpoint": edit("document", serverFields("https://evil.example")),
		"no document":      edit("document", nil),
		"times nonsense":   edit("expires", "tomorrow"),
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCached(t, "Cache-Control", "max-age=3600")
			raw, err := os.ReadFile(c.file(t))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(c.file(t), spoil(t, raw), 0o600); err != nil {
				t.Fatal(err)
			}
			as := c.ask(t)
			if as.Source.From != metadata.FromNetwork || as.Source.Warnings != nil || len(c.requests()) != 1 {
				t.Errorf("source %+v", as.Source)
			}
			if as := c.ask(t); as.Source.From != metadata.FromCache {
				t.Error("the file was not replaced by a good one")
			}
		})
	}
}

func TestHostileTimesAndTags(t *testing.T) {
	c := newCached(t, "ETag", `"v1"`)
	raw, err := os.ReadFile(c.file(t))
	if err != nil {
		t.Fatal(err)
	}
	var e fields
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatal(err)
	}
	raw = e.with(fields{"expires": "9999-01-01T00:00:00Z", "etag": "\"x\"\r\nAuthorization: y"}).json(t)
	if err := os.WriteFile(c.file(t), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	c.advance(24 * time.Hour)
	if as := c.ask(t); as.Source.From != metadata.FromNetwork {
		t.Errorf("a document of a day is fresh: %+v", as.Source)
	}
	if got := c.lastHeader().Get("If-None-Match"); got != "" {
		t.Errorf("If-None-Match is %q", got)
	}
}

func TestOddCacheFolders(t *testing.T) {
	aFile := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(aFile, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ dir, words string }{
		"a file":           {aFile, "not a directory"},
		"below a file":     {filepath.Join(aFile, "x"), "not a directory"},
		"open to everyone": {open, "everyone may write to it"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" {
				t.Skip("Windows words it otherwise, and has no permission bits")
			}
			s := newServer(t)
			s.on(oauthPath, sends(serverFields(s.URL).json(t)))
			c := metadata.Client{CacheDir: test.dir}
			for range 2 {
				as, err := c.AuthorizationServer(context.Background(), s.URL)
				if err != nil {
					t.Fatal(err)
				}
				if as.Source.From != metadata.FromNetwork {
					t.Errorf("source %+v", as.Source)
				}
				wantWarning(t, as.Source, "cannot be kept in the cache", test.dir, test.words)
			}
		})
	}
}

// Anyone could have changed a file in a directory that has been opened to everyone.
func TestFolderOpenedLater(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no permission bits")
	}
	c := newCached(t)
	if err := os.Chmod(c.client.CacheDir, 0o777); err != nil {
		t.Fatal(err)
	}
	if as := c.ask(t); as.Source.From != metadata.FromNetwork {
		t.Errorf("source %+v", as.Source)
	}
}

// A link or a pipe in the place of the file is not followed or waited on.
func TestCacheFileIsALink(t *testing.T) {
	c := newCached(t, "Cache-Control", "max-age=3600")
	file := c.file(t)
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(file, moved); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(moved, file); err != nil {
		if os.Getenv("AMBIT_TEST_PARTS") == "all" && runtime.GOOS != "windows" {
			t.Fatal("no links here: ", err)
		}
		t.Skip("no links here: ", err)
	}
	if as := c.ask(t); as.Source.From != metadata.FromNetwork {
		t.Errorf("the link was followed: %+v", as.Source)
	}
	if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the link is still there: %v %v", info, err)
	}
}

func TestNoCacheFolderMeansNoFile(t *testing.T) {
	t.Chdir(t.TempDir())
	s := newServer(t)
	s.on(oauthPath, sends(serverFields(s.URL).json(t)))
	c := metadata.Client{}
	for range 2 {
		if _, err := c.AuthorizationServer(context.Background(), s.URL); err != nil {
			t.Fatal(err)
		}
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) > 0 {
		t.Errorf("files %v, %v", entries, err)
	}
	if got := strings.Join(s.requests(), " "); got != "GET "+oauthPath+" GET "+oauthPath {
		t.Errorf("asked %q", got)
	}
}

// A warm start reads one small file: it is what each command pays.
func BenchmarkWarmStart(b *testing.B) {
	s := newServerForBenchmark(b)
	c := metadata.Client{CacheDir: b.TempDir()}
	for b.Loop() {
		if _, err := c.AuthorizationServer(context.Background(), s.URL); err != nil {
			b.Fatal(err)
		}
	}
	if asked := s.requests(); len(asked) != 1 {
		b.Errorf("asked %d times", len(asked))
	}
}

func newServerForBenchmark(b *testing.B) *server {
	s := start(b, newPlain)
	raw := bytes.ReplaceAll(testdata(b, "oauth-authorization-server.json"), []byte("https://us.posthog.com"), []byte(s.URL))
	s.on(oauthPath, sends(raw))
	return s
}
