package settings

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Settings are what the layers say together.
type Settings struct {
	Manifest  string   // the manifest's file; "" for the nearest
	Server    string   // a server of the provider, by name or issuer URL; "" for the default
	Account   string   // one of several logins; "" for the default
	Programs  []string // programs of the manifest whose scopes are added
	Output    string   // the format of the result; "" where none was asked for
	NoInput   bool     // never prompt, and never open a browser
	Store     string   // one of Words("store"), [ExecStore] with a command, or ""
	CAFile    string   // a PEM file of certificates to trust besides the system's
	TrustHost []string // hosts that may be sent a credential, as they were written
	Color     string   // one of Words("color"), or ""
	Verbose   bool     // tell of each request
	LogFile   string   // where a log goes; "" for nowhere

	// These have a flag only in commands that log in or take a key.
	Browser    string // a command that gets the URL of a login
	NoBrowser  bool   // print that URL; not set together with Browser
	Device     bool   // log in with a code for another device; not set together with these two
	APIKeyFile string // a file that holds an API key

	origins map[string]origin
}

// Origin is where a key was set: a flag, a variable, or a line of config.yaml.
func (s *Settings) Origin(key string) string { return s.origins[key].name }

// FromFlag reports whether a flag set a key.
func (s *Settings) FromFlag(key string) bool { return s.origins[key].layer == flagLayer }

// CommonFlags declares the flags that every command has.
func CommonFlags(f *pflag.FlagSet) {
	f.SortFlags = false
	f.StringP("manifest", "f", "", "the manifest `FILE` (default: the nearest scopes.yaml, here or above)")
	f.String("server", "", "the provider's server, by `NAME` or issuer URL")
	f.String("account", "", "the login of this `NAME`, one of several side by side")
	f.StringSlice("program", nil, "add the scopes of a program of the manifest, by `NAME` (repeatable)")
	f.StringP("output", "o", "", "the `FORMAT` of the result: text, json, or another that the command offers")
	f.Bool("json", false, "short for -o json")
	f.Bool("no-input", false, "never prompt and never open a browser")
	f.String("store", "", "where credentials are kept: keyring, file, memory, or exec:`NAME` for a program (see docs/stores.md)")
	f.String("ca-file", "", "trust the certificates in this PEM `FILE` too")
	f.StringSlice("trust-host", nil, "a `HOST` that a credential may be sent to; remembered (repeatable)")
	f.String("color", "", "auto, always or never")
	f.BoolP("verbose", "v", false, "say more")
	f.String("log-file", "", "write a log to this `FILE`")
}

// The kinds of value, as pflag names them.
const (
	wordKind = "string"
	boolKind = "bool"
	listKind = "stringSlice"
)

// kinds has every key.
func kinds() map[string]string {
	kinds := map[string]string{"browser": wordKind, "no_browser": boolKind, "device": boolKind, "api_key_file": wordKind}
	var common pflag.FlagSet
	CommonFlags(&common)
	common.VisitAll(func(f *pflag.Flag) { kinds[keyOf(f)] = f.Value.Type() })
	return kinds
}

func keyOf(f *pflag.Flag) string { return strings.ReplaceAll(f.Name, "-", "_") }

// ExecStore begins the word for a store that is a program: its command follows. It may come from any
// layer, as all of them are the user's.
const ExecStore = "exec:"

// Words are the allowed values of a key, those that a person completes with a name in it; nil
// where it takes any.
func Words(key string) []string {
	switch key {
	case "store":
		return []string{"keyring", "file", "memory", ExecStore + "NAME"}
	case "color":
		return []string{"auto", "always", "never"}
	}
	return nil
}

// takes reports whether a key may have a value.
func takes(key, value string) bool {
	words := Words(key)
	return words == nil || slices.Contains(words, value) || key == "store" && strings.HasPrefix(value, ExecStore)
}

// Mistakes is everything that is wrong in the settings, a line each, fit for a terminal.
type Mistakes []string

// Error is the lines.
func (m Mistakes) Error() string { return strings.Join(m, "\n") }
