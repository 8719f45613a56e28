package settings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"github.com/ambit-auth/ambit/internal/text"
)

// Settings are what the user set, in layers: defaults, the user's config.yaml,
// AMBIT_… variables, flags. A key is a flag's long name with _ for -. The manifest
// is no layer, but for the server that it may name.
type Settings struct {
	Manifest  string
	Server    string
	Programs  []string
	Output    string
	JSON      bool
	NoInput   bool
	Store     string
	CAFile    string
	TrustHost []string
	Color     string
	Verbose   bool
	LogFile   string

	// Of those commands that have the flag.
	Browser    string
	NoBrowser  bool
	APIKeyFile string

	layer func(key string) layer // the last one in which a key was set
	file  string                 // the user's config.yaml
}

// A Mistake is something wrong in the settings, and the way out where there is one.
type Mistake struct{ Message, Hint string }

// Error is the message.
func (m *Mistake) Error() string { return m.Message }

// A layer is a place of settings; a later one wins.
type layer int

const (
	fileLayer layer = iota
	variableLayer
	flagLayer
)

// CommonFlags declares the flags that every command has.
func CommonFlags(f *pflag.FlagSet) {
	f.SortFlags = false
	f.StringP("manifest", "f", "", "the manifest `FILE` (default: the nearest scopes.yaml, here or above)")
	f.String("server", "", "the provider's server, by `NAME` or issuer URL")
	f.StringSlice("program", nil, "add the scopes of a program of the manifest, by `NAME` (repeatable)")
	f.StringP("output", "o", "", "`FORMAT` of the result: text or json, and what else a command offers")
	f.Bool("json", false, "short for -o json")
	f.Bool("no-input", false, "never prompt and never open a browser")
	f.String("store", "", "where credentials are kept: keyring, file or memory")
	f.String("ca-file", "", "trust the certificates in this PEM `FILE` too")
	f.StringSlice("trust-host", nil, "a `HOST` that may be sent a credential; remembered (repeatable)")
	f.String("color", "", "auto, always or never")
	f.BoolP("verbose", "v", false, "say more")
	f.String("log-file", "", "write a log to this `FILE`")
}

// flagKey is the settings key of a flag.
func flagKey(flag string) string { return strings.ReplaceAll(flag, "-", "_") }

// Load merges the layers. Lists replace each other, they do not add up. A
// mistake in any layer is a failure that names its place.
func Load(flags *pflag.FlagSet, env Environment) (Settings, error) {
	k := koanf.New(".")
	if err := loadConfigFile(k, env.ConfigFile()); err != nil {
		return Settings{}, err
	}
	if err := k.Load(confmap.Provider(envLayer(flags, env), ""), nil); err != nil {
		return Settings{}, err
	}
	set := func(f *pflag.Flag) (string, any) {
		if !f.Changed {
			return "", nil
		}
		return flagKey(f.Name), posflag.FlagVal(flags, f)
	}
	if err := k.Load(posflag.ProviderWithFlag(flags, ".", k, set), nil); err != nil {
		return Settings{}, err
	}
	s := Settings{layer: layers(flags, env), file: env.ConfigFile()}
	if err := s.read(k); err != nil {
		return Settings{}, err
	}
	return s, s.check()
}

// Origin names the place in which a key was set last.
func (s *Settings) Origin(key string) string {
	switch s.layer(key) {
	case flagLayer:
		return flagOf(key)
	case variableLayer:
		return variableOf(key)
	}
	return fmt.Sprintf("%s: %s", s.file, key)
}

// FromFlag reports whether a flag set a key.
func (s *Settings) FromFlag(key string) bool { return s.layer(key) == flagLayer }

// layers tells for each key the last layer that sets it.
func layers(flags *pflag.FlagSet, env Environment) func(key string) layer {
	return func(key string) layer {
		if flags.Changed(flagOf(key)[len("--"):]) {
			return flagLayer
		}
		if env.Get(variableOf(key)) != "" {
			return variableLayer
		}
		return fileLayer
	}
}

// flagOf and variableOf are the names of a key on the command line and in the environment.
func flagOf(key string) string { return "--" + strings.ReplaceAll(key, "_", "-") }

func variableOf(key string) string { return "AMBIT_" + strings.ToUpper(key) }

// read takes the merged layers apart by hand: a decoder by reflection is a tenth of
// what a short command costs.
func (s *Settings) read(k *koanf.Koanf) error {
	s.Manifest, s.Server, s.Programs = k.String("manifest"), k.String("server"), list(k, "program")
	s.Output, s.Color, s.LogFile = k.String("output"), k.String("color"), k.String("log_file")
	s.Store, s.CAFile, s.TrustHost = k.String("store"), k.String("ca_file"), list(k, "trust_host")
	s.Browser, s.APIKeyFile = k.String("browser"), k.String("api_key_file")
	for _, flag := range []struct {
		key string
		to  *bool
	}{{"json", &s.JSON}, {"no_input", &s.NoInput}, {"verbose", &s.Verbose}, {"no_browser", &s.NoBrowser}} {
		if !k.Exists(flag.key) {
			continue
		}
		value, err := strconv.ParseBool(fmt.Sprint(k.Get(flag.key)))
		if err != nil {
			return &Mistake{fmt.Sprintf("%s is true or false, not %q", s.Origin(flag.key), fmt.Sprint(k.Get(flag.key))), ""}
		}
		*flag.to = value
	}
	return nil
}

// list reads a setting that may be one word or several.
func list(k *koanf.Koanf, key string) []string {
	if word, one := k.Get(key).(string); one {
		return []string{word}
	}
	return k.Strings(key)
}

// secretFlags carry a credential or belong to one call: no variable sets them.
var secretFlags = []string{"api-key", "api-key-stdin", "help"}

// envLayer is what the AMBIT_… variables set. The API key's variable is no
// setting: it is read where keys are read, and nowhere else.
func envLayer(flags *pflag.FlagSet, env Environment) map[string]any {
	layer := make(map[string]any)
	flags.VisitAll(func(f *pflag.Flag) {
		if slices.Contains(secretFlags, f.Name) {
			return
		}
		value := env.Get(variableOf(flagKey(f.Name)))
		switch {
		case value == "":
		case f.Value.Type() == "stringSlice":
			layer[flagKey(f.Name)] = strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
		default:
			layer[flagKey(f.Name)] = value
		}
	})
	return layer
}

// check settles what contradicts itself, and refuses words that no layer may hold.
func (s *Settings) check() error {
	if s.JSON && s.Output != "" && s.Output != "json" {
		holds, err := s.contest("json", "output")
		if err != nil {
			return err
		}
		s.JSON = holds
	}
	if s.JSON {
		s.Output = "json"
	}
	if s.NoBrowser && s.Browser != "" {
		holds, err := s.contest("no_browser", "browser")
		if err != nil {
			return err
		}
		if s.NoBrowser = holds; holds {
			s.Browser = ""
		}
	}
	for _, c := range []struct {
		key, value string
		words      []string
	}{
		{"store", s.Store, StoreWords()},
		{"color", s.Color, ColorWords()},
	} {
		if c.value != "" && !slices.Contains(c.words, c.value) {
			return &Mistake{fmt.Sprintf("%s: unknown word %q%s", s.Origin(c.key), c.value, text.Allowed(c.value, c.words)), ""}
		}
	}
	return nil
}

// StoreWords are the allowed words of the setting store.
func StoreWords() []string { return []string{"keyring", "file", "memory"} }

// ColorWords are the allowed words of the setting color.
func ColorWords() []string { return []string{"auto", "always", "never"} }

// contest reports whether the first of two settings that exclude each other holds: the
// later layer wins, and within one layer the first. Two flags are a mistake, for someone
// wrote both of them at once.
func (s *Settings) contest(first, second string) (holds bool, err error) {
	if s.layer(first) == flagLayer && s.layer(second) == flagLayer {
		return false, &Mistake{fmt.Sprintf("%s and %s exclude each other", flagOf(first), flagOf(second)), ""}
	}
	return s.layer(first) >= s.layer(second), nil
}
