package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/ambit-auth/ambit/internal/yamlfile"
)

// loadConfigFile reads the user's config.yaml; one that is not there is no mistake. Where
// there is a mistake in it, it is the first that is told, and what is right is loaded.
func loadConfigFile(k *koanf.Koanf, path string) error {
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) || path == "":
		return nil
	case err != nil:
		return &Mistake{err.Error(), ""}
	}
	var doc, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&doc); err != nil && err != io.EOF {
		return &Mistake{yamlfile.NotYAML(path, text, err).Error(), ""}
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		return &Mistake{fmt.Sprintf("%s:%d", path, second.Line) + ": a second document begins here; one file holds one", ""}
	case err != io.EOF:
		return &Mistake{yamlfile.NotYAML(path, text, err).Error(), ""}
	}
	values, mistake := configValues(path, &doc)
	if err := k.Load(confmap.Provider(values, ""), nil); err != nil {
		return err
	}
	if mistake != nil {
		return mistake
	}
	return nil
}

// configValues are the settings of the file, in the form in which the environment gives
// them; besides, the first mistake.
func configValues(path string, doc *yaml.Node) (values map[string]any, first *Mistake) {
	values = make(map[string]any)
	wrong := func(n *yaml.Node, hint, format string, args ...any) {
		if first == nil {
			first = &Mistake{fmt.Sprintf("%s:%d", path, max(n.Line, 1)) + ": " + fmt.Sprintf(format, args...), hint}
		}
	}
	if len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
		return values, nil // nothing but comments
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		wrong(root, "", "the settings are lines of the form key: value")
		return values, first
	}
	flags := configFlags()
	for pair := range slices.Chunk(root.Content, 2) {
		key, value := pair[0].Value, pair[1]
		flag := flagOfKey(flags, key)
		_, twice := values[key]
		switch {
		case flag == nil:
			wrong(pair[0], "known keys: "+strings.Join(configKeys(flags), ", "), "unknown key %q", key)
		case twice:
			wrong(pair[0], "", "%s stands here twice", key)
		case value.Tag == "!!null" && flag.Value.Type() != "bool":
			// Without a value it is not set.
		default:
			setting, want := configValue(flag.Value.Type(), value)
			if want != "" {
				wrong(value, "", "%s is %s, not %s", key, want, shownValue(value))
				continue
			}
			values[key] = setting
		}
	}
	return values, first
}

// configValue is the value of a setting of a flag's type, or what it should be instead.
func configValue(flagType string, n *yaml.Node) (value any, want string) {
	isWord := func(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!str" }
	switch {
	case flagType == "bool" && (n.Kind != yaml.ScalarNode || n.Tag == "!!null"):
		return nil, "true or false"
	case flagType == "bool" || isWord(n):
		return n.Value, ""
	case flagType != "stringSlice":
		return nil, "a word"
	case n.Kind != yaml.SequenceNode || slices.ContainsFunc(n.Content, func(item *yaml.Node) bool { return !isWord(item) }):
		return nil, "a word or a list of words"
	}
	words := make([]string, len(n.Content))
	for i, item := range n.Content {
		words[i] = item.Value
	}
	return words, ""
}

// shownValue is what stands in the file, as far as it fits into a sentence.
func shownValue(n *yaml.Node) string {
	switch {
	case n.Tag == "!!null":
		return "nothing"
	case n.Kind == yaml.ScalarNode && n.Tag != "!!str":
		return n.Value + " (quotes make it a word)"
	case n.Kind == yaml.ScalarNode:
		return fmt.Sprintf("%q", n.Value)
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "this list"
	}
	return "an alias"
}

// configFlags are the flags whose keys config.yaml may hold: those of every command, and
// of single commands what is no matter of one call.
func configFlags() *pflag.FlagSet {
	var flags pflag.FlagSet
	CommonFlags(&flags)
	flags.String("browser", "", "")
	flags.Bool("no-browser", false, "")
	flags.String("api-key-file", "", "")
	return &flags
}

// flagOfKey is the flag of a key; nil where the file may not hold it.
func flagOfKey(flags *pflag.FlagSet, key string) *pflag.Flag {
	if !slices.Contains(configKeys(flags), key) {
		return nil
	}
	return flags.Lookup(strings.TrimPrefix(flagOf(key), "--"))
}

func configKeys(flags *pflag.FlagSet) []string {
	var keys []string
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name != "json" { // short for an output, on a command line
			keys = append(keys, flagKey(f.Name))
		}
	})
	return keys
}

// Output is the format that the environment or config.yaml asks for, where the settings
// cannot be loaded; what is wrong in them is passed over.
func Output(env Environment) string {
	if json, err := strconv.ParseBool(env.Get(variableOf("json"))); err == nil && json {
		return "json"
	}
	if output := env.Get(variableOf("output")); output != "" {
		return output
	}
	k := koanf.New(".")
	_ = loadConfigFile(k, env.ConfigFile()) // a file that cannot be read asks for nothing
	return k.String("output")
}
