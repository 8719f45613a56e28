package text_test

import (
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/google/go-cmp/cmp"
)

func TestNear(t *testing.T) {
	known := []string{"required", "recommended", "optional", "us", "eu", "api", "apis"}
	for word, want := range map[string][]string{
		"recomended":                   {"recommended"},
		"Optional":                     {"optional"},
		"uk":                           {"us"},
		"ap":                           {"api"},
		"apii":                         {"api", "apis"},
		"us":                           {"us"},
		"aip":                          {"api"},
		"nothing":                      {},
		"":                             {},
		strings.Repeat("required", 20): {},
	} {
		got := text.Near(word, known)
		if len(got) != len(want) || len(got) > 0 && !cmp.Equal(got, want) {
			t.Errorf("text.Near(%q) = %v, want %v", word, got, want)
		}
	}
	if got := text.Near("eu", []string{"ue"}); len(got) > 0 {
		t.Errorf("text.Near(%q) = %v: two letters are too few to have changed places", "eu", got)
	}
	known = []string{"alert:read", "user:write", "insight:read", "PATCH", "https://example.com/auth/drive"}
	for word, want := range map[string][]string{
		"user:read":                         {}, // what they share is no likeness
		"insigth:read":                      {"insight:read"},
		"users:write":                       {"user:write"},
		"FETCH":                             {},
		"patch":                             {"PATCH"},
		"https://example.com/auth/calendar": {},
		"https://example.com/auth/drives":   {"https://example.com/auth/drive"},
	} {
		if got := text.Near(word, known); len(got) != len(want) || len(got) > 0 && !cmp.Equal(got, want) {
			t.Errorf("text.Near(%q) = %v, want %v", word, got, want)
		}
	}
	if got := text.Near("aaaa", []string{"aaad", "aaac", "aaab", "aaaa"}); !cmp.Equal(got, []string{"aaaa", "aaab", "aaac"}) {
		t.Errorf("Near gives at most three, best first: %v", got)
	}
}

func TestDidYouMean(t *testing.T) {
	for want, near := range map[string][]string{"": nil, "did you mean a?": {"a"}, "did you mean a or b?": {"a", "b"}} {
		if got := text.DidYouMean(near); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Behind a message and as a hint of its own, the same words are allowed, and the same one was meant.
func TestAllowed(t *testing.T) {
	words := []string{"stop", "continue"}
	if got := text.Allowed("stpo", words).String(); got != ` (allowed: stop, continue); did you mean "stop"?` {
		t.Errorf("%q", got)
	}
	if got := text.AllowedHint("stpo", words); got != `allowed: stop, continue; did you mean "stop"?` {
		t.Errorf("%q", got)
	}
}
