package main

import (
	"cmp"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/refusal"
	"github.com/ambit-auth/ambit/internal/testkit/replay"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestExchangesShowTheFile finds out what of a provider file its exchanges show. A refusal for a scope, one for
// another reason, and each request by which a credential is inspected, have to be among them, where the file
// speaks of such; how many of its errors are shown is told.
func TestExchangesShowTheFile(t *testing.T) {
	for _, name := range provider.BuiltinNames() {
		t.Run(name, func(t *testing.T) {
			p, list := providerOf(t, name), exchangesOf(t, filepath.Join(providerDir, name))
			shown := make(map[int]bool)
			for _, e := range list {
				if at := errorShown(p, e); at >= 0 {
					shown[at] = true
				}
			}
			for _, means := range []provider.Meaning{provider.MeaningMissingScope, provider.MeaningNotAScopeProblem} {
				of := func(r provider.Refusal) bool { return r.Means == means }
				some := slices.ContainsFunc(p.Voice().Refusals, of)
				for at := range shown {
					some = some && !of(p.Voice().Refusals[at])
				}
				if some {
					t.Errorf("no exchange shows an error that means %s", means)
				}
			}
			for _, address := range inspections(p) {
				if !slices.ContainsFunc(list, func(e replay.Exchange) bool { return e.Method+" "+e.URL == address }) {
					t.Errorf("no exchange shows the inspection %s", address)
				}
			}
			t.Logf("%d exchanges show %d of %d errors", len(list), len(shown), len(p.Voice().Refusals))
		})
	}
}

// providerOf is a built-in provider with the parameters that the manifest of its exchanges gives.
func providerOf(t *testing.T, name string) *provider.Provider {
	t.Helper()
	file := filepath.Join(providerDir, name, "scopes.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Decode(file, text, yamlfile.Read)
	if err != nil {
		t.Fatal(err)
	}
	return m.Provider
}

// errorShown is which of the provider's errors a response fits; -1 for none.
func errorShown(p *provider.Provider, e replay.Exchange) int {
	u, err := url.Parse(e.URL)
	if err != nil {
		return -1
	}
	base, _, ok := p.Locator().Locate(u)
	if !ok {
		return -1
	}
	response := refusal.Response{Status: e.Status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(e.Response)}
	for _, f := range e.Sent {
		response.Header[f.Name] = append(response.Header[f.Name], f.Value)
	}
	read := refusal.Read(p, base, refusal.Vocabulary{Implies: p.Implies}, response)
	return slices.IndexFunc(p.Voice().Refusals, func(r provider.Refusal) bool { return reflect.DeepEqual(r, read.Entry) })
}

// inspections are the requests, as METHOD URL, by which credentials are asked about at the default server.
func inspections(p *provider.Provider) []string {
	at := slices.IndexFunc(p.Servers, func(s provider.Server) bool { return s.Name == p.DefaultServer })
	var list []string
	for _, kind := range p.Credentials {
		for _, way := range kind.Inspect {
			if address, ok := p.Servers[max(at, 0)].Expand(way.URL); ok && way.URL != "" {
				list = append(list, cmp.Or(way.Method, http.MethodGet)+" "+address)
			}
		}
	}
	return list
}

// exchangesOf are all of a directory: of its files, and of those in its scenarios.
func exchangesOf(t *testing.T, dir string) (list []replay.Exchange) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files := []txtar.File{{Name: entry.Name(), Data: text}}
		if filepath.Ext(entry.Name()) == ".txtar" {
			files = txtar.Parse(text).Files
		}
		for _, file := range files {
			if !strings.HasSuffix(file.Name, ".http") {
				continue
			}
			some, err := replay.Parse(entry.Name()+": "+file.Name, file.Data)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, some...)
		}
	}
	return list
}
