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
	f.StringP("output", "o", "", "the `FORMAT` of the result: text, json, or another that the command's help names")
	f.Bool("json", false, "short for -o json")
	f.Bool("no-input", false, "never prompt and never open a browser")
	f.String("store", "", oneOf("store")+"where logins are kept; exec: runs a program of yours")
	f.String("ca-file", "", "trust the certificates in this PEM `FILE` too")
	f.StringSlice("trust-host", nil, "a `HOST` that a credential may be sent to; remembered (repeatable)")
	f.String("color", "", oneOf("color")+"when to use color")
	f.BoolP("verbose", "v", false, "log each request, and show details")
	f.String("log-file", "", "append a log to this `FILE`: a JSON line for each event")
}

// LoginFlags declares those settings that only a login has as flags.
func LoginFlags(f *pflag.FlagSet) {
	f.String("browser", "", "open the login URL with `CMD`; works without a terminal")
	f.Bool("no-browser", false, "print the login URL, then paste back the final URL or code")
	f.Bool("device", false, "show a code to enter on another device; works without a terminal")
}

// KeyFileFlag declares the setting that only commands which take an API key have as a flag.
func KeyFileFlag(f *pflag.FlagSet) {
	f.String("api-key-file", "", "read an API key from this `FILE`")
}

// oneOf begins the usage of a flag with the only values that it takes.
func oneOf(key string) string { return "`" + strings.Join(Words(key), "|") + "` " }

// all are the flags of all settings.
func all() *pflag.FlagSet {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	CommonFlags(f)
	LoginFlags(f)
	KeyFileFlag(f)
	return f
}

// A Variable is one of the environment, and what it is for.
type Variable struct {
	Name  string
	About string
	Flag  *pflag.Flag // the flag of the same setting; nil where there is none
}

// Variables are those that set what a flag sets, in the order of the flags, and the others that count.
func Variables() (ofFlags, others []Variable) {
	all().VisitAll(func(f *pflag.Flag) {
		ofFlags = append(ofFlags, Variable{prefix + strings.ToUpper(keyOf(f)), "as --" + f.Name, f})
	})
	return ofFlags, []Variable{
		{Name: "AMBIT_API_KEY", About: "an API key; before the variables that the provider names"},
		{Name: "NO_COLOR", About: "set to anything: no color, unless --color says otherwise"},
		{Name: "CI", About: "true in a pipeline: nobody is asked, and no browser opens"},
		{Name: "BROWSER", About: "on a terminal, the command that opens a login URL"},
		{Name: "XDG_CONFIG_HOME", About: "where ambit/config.yaml is looked for"},
		{Name: "XDG_CACHE_HOME", About: "where the servers' metadata is kept"},
		{Name: "XDG_STATE_HOME", About: "where logins of --store file and locks are kept"},
		{Name: "HTTPS_PROXY", About: "the proxy for requests; so do HTTP_PROXY and NO_PROXY count"},
	}
}

// The kinds of value, as pflag names them.
const (
	wordKind = "string"
	boolKind = "bool"
	listKind = "stringSlice"
)

// kinds has every key.
func kinds() map[string]string {
	kinds := make(map[string]string)
	all().VisitAll(func(f *pflag.Flag) { kinds[keyOf(f)] = f.Value.Type() })
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
