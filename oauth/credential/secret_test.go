package credential_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
)

// nested holds a secret in every way in which Go can hold one.
type nested struct {
	Exported   credential.Secret
	unexported credential.Secret
	Pointer    *credential.Secret
	List       []credential.Secret
	Map        map[string]credential.Secret
	Any        any
	Inner      struct{ deep credential.Secret }
	array      [1]credential.Secret
}

func holders() map[string]any {
	s := credential.NewSecret(storetest.Marked)
	n := nested{
		Exported: s, unexported: s, Pointer: &s, List: []credential.Secret{s},
		Map: map[string]credential.Secret{"k": s}, Any: s, array: [1]credential.Secret{s},
	}
	n.Inner.deep = s
	return map[string]any{
		"itself":     s,
		"pointer":    &s,
		"nested":     n,
		"to nested":  &n,
		"list":       []any{s, n, &n},
		"map":        map[string]any{"a": s, "b": n},
		"credential": credential.Credential{Access: s, Refresh: s},
		"error":      fmt.Errorf("outer: %w", errors.New(fmt.Sprint(s, n))),
	}
}

func TestSecretCannotBePrinted(t *testing.T) {
	verbs := []string{
		"%v", "%+v", "%#v", "%s", "%q", "%#q", "%+q", "%d", "%x", "%X", "% x", "%#x", "%t", "%p", "%b", "%o", "%O",
		"%c", "%U", "%e", "%E", "%f", "%F", "%g", "%G", "%T", "%10.3s", "%-20v", "%w", "%z", "%!",
	}
	for name, holder := range holders() {
		for _, verb := range verbs {
			if out := fmt.Sprintf(verb, holder); storetest.Leaks(out) {
				t.Errorf("%s under %s: %s", name, verb, out)
			}
		}
		if out := fmt.Sprint(holder) + fmt.Sprintln(holder); storetest.Leaks(out) {
			t.Errorf("%s under Print: %s", name, out)
		}
	}
}

func TestSecretCannotBeLogged(t *testing.T) {
	for name, holder := range holders() {
		var out bytes.Buffer
		options := &slog.HandlerOptions{AddSource: true, Level: slog.LevelDebug}
		for _, handler := range []slog.Handler{slog.NewTextHandler(&out, options), slog.NewJSONHandler(&out, options)} {
			log := slog.New(handler).With("with", holder).WithGroup("group")
			log.Debug("message", "key", holder, slog.Any("any", holder), slog.Group("inner", "deep", holder))
		}
		if storetest.Leaks(out.String()) {
			t.Errorf("%s: %s", name, out.String())
		}
		if out.Len() == 0 {
			t.Error("nothing was logged: the test sees nothing")
		}
	}
}

func TestSecretCannotBeMarshalled(t *testing.T) {
	for name, holder := range holders() {
		out, err := json.Marshal(map[string]any{"holder": holder})
		if err != nil {
			t.Fatal(err)
		}
		if storetest.Leaks(string(out)) {
			t.Errorf("%s: %s", name, out)
		}
	}
	key, err := json.Marshal(map[credential.Secret]int{credential.NewSecret(storetest.Marked): 1}) // as a map's key
	if err != nil || storetest.Leaks(string(key)) {
		t.Errorf("as a key: %s, %v", key, err)
	}
}

func TestSecretShowsStarsInItsPlace(t *testing.T) {
	s := credential.NewSecret(storetest.Marked)
	got := []string{fmt.Sprint(s), fmt.Sprintf("%#v", s), fmt.Sprintf("%d", s), s.String(), s.GoString(), s.LogValue().String()}
	for i, text := range got {
		if text != "***" {
			t.Errorf("%d: %q, want ***", i, text)
		}
	}
}

func TestSecretReveal(t *testing.T) {
	s := credential.NewSecret(storetest.Marked)
	if s.Reveal() != storetest.Marked || s.Empty() {
		t.Errorf("Reveal() = %q", s.Reveal())
	}
	var zero credential.Secret
	if zero.Reveal() != "" || !zero.Empty() || !credential.NewSecret("").Empty() {
		t.Error("the zero Secret and the one of nothing must be empty")
	}
	if !s.Equal(credential.NewSecret(storetest.Marked)) || s.Equal(zero) || !zero.Equal(credential.NewSecret("")) {
		t.Error("Equal must compare what is held")
	}
}

func TestSecretMask(t *testing.T) {
	for _, c := range []struct{ secret, prefix, want string }{
		{"abc_0123", "abc_", "abc_***"},
		{"longprefix_0123", "longprefix_", "long***"},
		{"ab_0123", "ab_", "ab_***"},
		{"xyz_0123", "abc_", "***"}, // not its prefix: nothing is shown
		{"abc_0123", "", "***"},
		{"", "abc_", "***"},
	} {
		if got := credential.NewSecret(c.secret).Mask(c.prefix); got != c.want {
			t.Errorf("Mask(%q) of %q = %q, want %q", c.prefix, c.secret, got, c.want)
		}
	}
}
