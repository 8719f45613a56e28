package provider_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A provider's file to fill in is complete once the marked values are there, and says where one is not.
func TestStarterFilledIn(t *testing.T) {
	text := string(provider.Starter())
	_, err := provider.Decode("mine.yaml", []byte(text))
	mistakes, _ := errors.AsType[yamlfile.Mistakes](err)
	for i, line := range strings.Split(text, "\n") {
		told := slices.ContainsFunc(mistakes, func(m yamlfile.Mistake) bool { return m.Line == i+1 })
		if marked := strings.Contains(line, "# FILL IN: "); marked != told {
			t.Errorf("line %d: marked %v, told %v: %s", i+1, marked, told, line)
		}
	}
	for _, fill := range [][2]string{{"issuer", "https://id.example"}, {"api", "https://api.example"}, {"id", "app"}} {
		text = strings.Replace(text, fill[0]+`: ""`, fill[0]+": "+fill[1], 1)
	}
	p, err := provider.Decode("mine.yaml", []byte(text))
	if err != nil || p.Servers[0].Issuer != "https://id.example" || p.Servers[0].Bases[0].URL != "https://api.example" || p.Client.ID != "app" {
		t.Errorf("filled in: %+v, %v", p, err)
	}
}

// What stands in the comments are members with values of their type: without the signs of comments it is
// YAML in which no key is unknown, doubled or of another type.
func TestStarterComments(t *testing.T) {
	text := regexp.MustCompile(`(?m)^( *)# `).ReplaceAllString(string(provider.Starter()), "$1")
	_, err := provider.Decode("mine.yaml", []byte(text))
	mistakes, _ := errors.AsType[yamlfile.Mistakes](err)
	for _, one := range mistakes {
		switch one.Kind {
		case yamlfile.BadYAML, yamlfile.BadType, yamlfile.UnknownKey, yamlfile.DuplicateKey, yamlfile.BadScope, yamlfile.MissingKey:
			t.Error(one)
		}
	}
	for key := range strings.Lines(text) {
		if !strings.Contains(key, "# ") && !strings.Contains(key, "NAME: ") && strings.TrimSpace(key) != "main:" {
			t.Errorf("no line about %s", key)
		}
	}
}
