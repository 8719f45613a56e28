package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/refusal"
	"github.com/ambit-auth/ambit/internal/testkit/replay"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestExchangesShowTheFile wants every rule of a provider file about refusals to be shown by an exchange, with each
// status that it names, and so every request by which a credential is inspected.
func TestExchangesShowTheFile(t *testing.T) {
	for _, name := range provider.BuiltinNames() {
		t.Run(name, func(t *testing.T) {
			p, list := providerOf(t, name), exchangesOf(t, filepath.Join(providerDir, name))
			shown := make(map[string]bool)
			for _, e := range list {
				if at := errorShown(p, e); at >= 0 {
					shown[ruleName(p.Voice().Refusals[at].Sign, at)] = true
					shown[fmt.Sprintf("%s with %d", ruleName(p.Voice().Refusals[at].Sign, at), e.Status)] = true
				}
				for _, d := range denialsShown(p, e) {
					shown[fmt.Sprint(d)] = true
				}
			}
			for at, r := range p.Voice().Refusals {
				if rule := ruleName(r.Sign, at); !shown[rule] {
					t.Errorf("no exchange shows %s, %q, which means %s", rule, r.Is, r.Means)
				} else {
					for _, status := range r.Statuses {
						if with := fmt.Sprintf("%s with %d", rule, status); !shown[with] {
							t.Errorf("no exchange shows %s, which means %s", with, r.Means)
						}
					}
				}
			}
			for _, d := range p.Voice().Denials {
				if !shown[fmt.Sprint(d)] {
					t.Errorf("no exchange shows the error %s at the %s endpoint, %q", d.Code, d.Stage, d.Text)
				}
			}
			for _, address := range inspections(p) {
				if !slices.ContainsFunc(list, func(e replay.Exchange) bool { return e.Method+" "+e.URL == address }) {
					t.Errorf("no exchange shows the inspection %s", address)
				}
			}
			t.Logf("%d exchanges show %d rules", len(list), len(p.Voice().Refusals)+len(p.Voice().Denials))
		})
	}
}

func ruleName(s provider.Sign, at int) string { return fmt.Sprintf("errors[%d] (%v)", at, s.Statuses) }

// denialsShown are the rules that a response of the authorization server fits, as the product reads them.
func denialsShown(p *provider.Provider, e replay.Exchange) []provider.Denial {
	var denied []advice.Denied
	for _, f := range e.Sent {
		_, query, _ := strings.Cut(f.Value, "?")
		if back, err := url.ParseQuery(query); f.Name == "Location" && err == nil {
			denied = append(denied, advice.Denied{Stage: provider.StageAuthorize, Code: back.Get("error"), Description: back.Get("error_description")})
		}
	}
	var body map[string]any
	if json.Unmarshal([]byte(e.Response), &body) == nil {
		own, _ := body["error"].(string)
		description, _ := body["error_description"].(string)
		code, _ := p.TokenResponse.Code(own, body)
		stage := provider.StageToken
		if slices.ContainsFunc(p.Servers, func(s provider.Server) bool { return s.Metadata["device_authorization_endpoint"] == e.URL }) {
			stage = provider.StageAuthorize // RFC 8628 §3.1 takes the place of a browser's request
		}
		denied = append(denied, advice.Denied{Stage: stage, Code: code, Description: description})
	}
	var rules []provider.Denial
	for _, d := range denied {
		d.Provider = p
		if rule, ok := d.Rule(); ok {
			rules = append(rules, rule)
		}
	}
	return rules
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
	var list []string
	for _, kind := range p.Credentials {
		for _, way := range kind.Inspect {
			list = append(list, addresses(p, way)[:min(1, len(addresses(p, way)))]...)
		}
	}
	return list
}

// addresses are the requests of an inspection at each server, the default one first.
func addresses(p *provider.Provider, way provider.Inspection) (list []string) {
	isDefault := func(s provider.Server) bool { return s.Name == p.DefaultServer }
	first := slices.IndexFunc(p.Servers, isDefault)
	servers := append(slices.Clone(p.Servers[max(first, 0):max(first, 0)+1]), p.Servers...)
	for _, s := range servers {
		if address, ok := s.Expand(way.URL); ok && way.URL != "" {
			list = append(list, cmp.Or(way.Method, http.MethodGet)+" "+address)
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
