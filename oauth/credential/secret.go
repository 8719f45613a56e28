package credential

import (
	"cmp"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// hidden stands wherever someone tries to print a [Secret].
const hidden = "***"

// shownPrefix is how much of a credential people may see: enough to tell its kind,
// and nothing that helps to guess the rest.
const shownPrefix = 4

// A Secret holds a credential and cannot print itself: fmt, log/slog and encoding
// show *** in its place, whatever the verb and however deep it lies. It is a struct
// around a pointer because a redacting string type still shows itself under %#v and
// %d, and in the unexported fields of others. The zero value holds nothing. A
// Secret never changes, so it may be shared between goroutines.
type Secret struct{ value *string }

// NewSecret wraps value.
func NewSecret(value string) Secret { return Secret{value: &value} }

// Reveal returns the credential itself: for a request or the store, never for people.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Empty reports whether there is nothing in it.
func (s Secret) Empty() bool { return s.Reveal() == "" }

// Equal compares without telling by its duration where two secrets differ.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// Mask is what people may see of it: at most the first four characters of prefix,
// and only if it really begins with prefix, then ***.
func (s Secret) Mask(prefix string) string {
	if !strings.HasPrefix(s.Reveal(), prefix) {
		return hidden
	}
	return prefix[:min(len(prefix), shownPrefix)] + hidden
}

// VeilOver covers secrets in what a server sends with their masked form, as p has the prefixes of
// their kinds; nil knows none.
func VeilOver(p *provider.Provider, secrets ...Secret) (v text.Veil) {
	for _, s := range secrets {
		mask := hidden
		if p != nil {
			mask = cmp.Or(s.Shown(p.KindOf(s.Reveal())), hidden)
		}
		v = v.Over(s.Reveal(), mask)
	}
	return v
}

// String returns ***.
func (s Secret) String() string { return hidden }

// GoString returns ***.
func (s Secret) GoString() string { return hidden }

// Format writes *** for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalText returns ***; it serves YAML and XML too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalJSON returns "***".
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// LogValue returns ***.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }
