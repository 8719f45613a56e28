package scopes

import (
	"fmt"

	"github.com/ambit-auth/ambit/internal/text"
)

// A Level says how badly a declared scope is needed. The zero value is Optional,
// the weakest; levels compare with < and >.
type Level int

// The levels of a manifest entry, weakest first.
const (
	Optional    Level = iota // one feature is lost without it
	Recommended              // the program works, visibly worse
	Required                 // the program does not start without it
)

// Levels lists every level, strongest first: the order in which people read them.
func Levels() []Level { return []Level{Required, Recommended, Optional} }

// LevelWords lists their words, strongest first.
func LevelWords() []string {
	words := make([]string, 0, 3)
	for _, l := range Levels() {
		words = append(words, l.String())
	}
	return words
}

// String is the word that a manifest uses.
func (l Level) String() string {
	switch l {
	case Required:
		return "required"
	case Recommended:
		return "recommended"
	default:
		return "optional"
	}
}

// MarshalText writes the word that a manifest uses.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads the word that a manifest uses; any other is an error that
// lists the allowed ones.
func (l *Level) UnmarshalText(word []byte) error {
	for _, level := range Levels() {
		if level.String() == string(word) {
			*l = level
			return nil
		}
	}
	return fmt.Errorf("unknown level %q%s", word, text.Allowed(string(word), LevelWords()))
}
