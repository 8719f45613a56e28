package settings

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"github.com/ambit-auth/ambit/internal/text"
)

// A layer is a place of settings; a later one overrides an earlier one.
type layer int

const (
	fileLayer layer = iota + 1 // a key that nothing sets is in none
	variableLayer
	flagLayer
)

// An origin is where a key was set last.
type origin struct {
	layer layer
	name  string
}

// A loading goes through the layers.
type loading struct {
	kinds    map[string]string
	origins  map[string]origin
	mistakes Mistakes
}

func (l *loading) wrong(format string, args ...any) {
	l.mistakes = append(l.mistakes, text.Line(fmt.Sprintf(format, args...)))
}

// Load merges the layers. The error is [Mistakes]; what is right is loaded all the same.
func Load(flags *pflag.FlagSet, environ Environment) (Settings, error) {
	l := &loading{kinds: kinds(), origins: make(map[string]origin)}
	k, err := l.merge(flags, environ)
	if err != nil {
		return Settings{}, err
	}
	l.check(k)
	s := Settings{
		Manifest: k.String("manifest"), Server: k.String("server"), Account: k.String("account"), Programs: k.Strings("program"),
		Output: k.String("output"), NoInput: k.Bool("no_input"), Store: k.String("store"), CAFile: k.String("ca_file"),
		TrustHost: k.Strings("trust_host"), Color: k.String("color"), Verbose: k.Bool("verbose"), LogFile: k.String("log_file"),
		Browser: k.String("browser"), NoBrowser: k.Bool("no_browser"), Device: k.Bool("device"), APIKeyFile: k.String("api_key_file"), origins: l.origins,
	}
	l.settle(&s, k.Bool("json"))
	if l.mistakes != nil {
		return s, l.mistakes
	}
	return s, nil
}

// Guess is [Load] for a command line that was not parsed: for a help, or as something in it
// is wrong. What is wrong is passed over, in every layer.
func Guess(args []string, environ Environment) Settings {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	Skim(flags, args)
	s, _ := Load(flags, environ)
	return s
}

// Skim reads flags, and those that are common, from a command line in which something may be wrong.
// What is wrong, or is another flag, is passed over.
func Skim(flags *pflag.FlagSet, args []string) {
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.BoolP("help", "h", false, "") // pflag's own ends the parsing
	CommonFlags(flags)
	_ = flags.ParseAll(args, func(f *pflag.Flag, value string) error {
		_ = flags.Set(f.Name, value)
		return nil
	})
}

// prefix begins the name of each variable.
const prefix = "AMBIT_"

// merge has koanf read the layers in their order; a mistake in one is no error of that.
func (l *loading) merge(flags *pflag.FlagSet, environ Environment) (*koanf.Koanf, error) {
	file := configFile{l, environ.ConfigFile()}
	variables := env.Opt{Prefix: prefix, TransformFunc: l.variable, EnvironFunc: func() []string { return environ }}
	flag := func(f *pflag.Flag) (key string, setting any) {
		if f.Changed { // the provider leaves out the others
			l.origins[keyOf(f)] = origin{flagLayer, "--" + f.Name}
		}
		return keyOf(f), posflag.FlagVal(flags, f)
	}
	k := koanf.New(".")
	return k, errors.Join(
		k.Load(rawbytes.Provider(file.read()), file),
		k.Load(env.Provider(".", variables), nil),
		k.Load(posflag.ProviderWithFlag(flags, ".", nil, flag), nil),
	)
}

// variable gives koanf the key and the value of a variable; "" where it sets nothing. That
// of an API key is not a setting: it is read where keys are read.
func (l *loading) variable(name, value string) (key string, setting any) {
	key = strings.ToLower(strings.TrimPrefix(name, prefix))
	kind := l.kinds[key]
	if kind == "" || value == "" || name != strings.ToUpper(name) {
		return "", nil
	}
	l.origins[key] = origin{variableLayer, name}
	if kind == listKind {
		return key, strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
	}
	return key, value
}

// check looks at the values that hold. What a flag overrides is not looked at: it is the
// way past a variable that is wrong.
func (l *loading) check(k *koanf.Koanf) {
	for _, key := range slices.Sorted(maps.Keys(l.origins)) {
		value, name := k.String(key), l.origins[key].name
		if _, err := strconv.ParseBool(value); err != nil && l.kinds[key] == boolKind {
			l.wrong("%s is true or false, not %q", name, value)
		}
		if key == "account" && value != "" && !text.IsName(value) {
			l.wrong("%s has 1 to %d printable characters, not %s", name, text.MaxName, text.Quote(value))
		}
		if value != "" && !takes(key, value) {
			l.wrong("%s: unknown word %q%s", name, value, text.Allowed(value, Words(key)))
		}
	}
}

// settle decides between settings that exclude each other.
func (l *loading) settle(s *Settings, json bool) {
	if json && (s.Output == "" || s.Output == "json" || l.overrides("json", "output")) {
		s.Output = "json"
	}
	if s.Device && s.Browser != "" {
		if s.Device = l.overrides("device", "browser"); s.Device {
			s.Browser = ""
		}
	}
	if s.Device && s.NoBrowser {
		s.Device = l.overrides("device", "no_browser")
		s.NoBrowser = !s.Device
	}
	if s.NoBrowser && s.Browser != "" {
		if s.NoBrowser = l.overrides("no_browser", "browser"); s.NoBrowser {
			s.Browser = ""
		}
	}
}

// overrides reports whether the first of two settings that exclude each other holds: the
// later layer does, and within one layer the first. Two flags are a mistake, for someone
// wrote both of them at once.
func (l *loading) overrides(first, second string) bool {
	a, b := l.origins[first], l.origins[second]
	if a.layer == flagLayer && b.layer == flagLayer {
		l.wrong("%s and %s exclude each other", a.name, b.name)
		return false
	}
	return a.layer >= b.layer
}
