package profile

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/yamlfile"
	"go.yaml.in/yaml/v3"
)

// Decode reads the file of an agent program; file is its name in messages, and its base
// name that of the profile. The error is every mistake in it, with its place.
func Decode(file string, text []byte) (*Profile, error) {
	d := decoder{&yamlfile.Reader{File: file}}
	base := path.Base(strings.TrimPrefix(strings.ReplaceAll(file, `\`, "/"), "builtin:"))
	p := &Profile{Name: strings.TrimSuffix(base, path.Ext(base))}
	if root := d.Document(text); root != nil {
		d.profile(p, root)
	}
	if mistakes := d.Told(); len(mistakes) > 0 {
		return nil, mistakes
	}
	return p, nil
}

type decoder struct{ *yamlfile.Reader }

// sources are the words for whose settings a file holds, the highest rank first.
func sources() []string { return []string{SourceManaged, SourceLocal, SourceProject, SourceUser} }

func (d decoder) profile(p *Profile, n *yaml.Node) {
	d.Mapping(n, "an agent's file", []yamlfile.Member{
		yamlfile.Required("label", d.textInto(&p.Label, "label")),
		yamlfile.Required("commands", d.textsInto(&p.commands, "commands")),
		yamlfile.Optional("packages", d.textsInto(&p.packages, "packages")),
		yamlfile.Optional("drop", d.textsInto(&p.drop, "drop")),
		yamlfile.Optional("set", func(v *yaml.Node) { p.set = d.variables(v) }),
		yamlfile.Optional("retries_401", d.booleanInto(&p.Retries401, "retries_401")),
		yamlfile.Optional("refusal_status", func(v *yaml.Node) { p.RefusalStatus = d.Number(v, "refusal_status", 400, 499) }),
		yamlfile.Optional("origins", d.booleanInto(&p.Origins, "origins")),
		yamlfile.Optional("credential_headers", d.textsInto(&p.Headers, "credential_headers")),
		yamlfile.Optional("credential_schemes", d.textsInto(&p.Schemes, "credential_schemes")),
		yamlfile.Optional("credential_query", d.textsInto(&p.Query, "credential_query")),
		yamlfile.Optional("passing_headers", d.textsInto(&p.Passing, "passing_headers")),
		yamlfile.Optional("directories", func(v *yaml.Node) { p.directories = d.directories(v) }),
		yamlfile.Optional("settings", func(v *yaml.Node) { p.settings = d.settings(v) }),
		yamlfile.Optional("keys", func(v *yaml.Node) { p.keys = d.keys(v) }),
		yamlfile.Optional("flags", func(v *yaml.Node) { p.flags = d.flags(v) }),
		yamlfile.Optional("offline", d.textsInto(&p.offline, "offline")),
		yamlfile.Optional("logins", func(v *yaml.Node) { p.logins = d.logins(v) }),
		yamlfile.Optional("logout", d.textInto(&p.Logout, "logout")),
		yamlfile.Optional("precedence", func(v *yaml.Node) { p.precedence = d.precedence(v) }),
	})
	if p.Retries401 && p.RefusalStatus == 0 {
		p.RefusalStatus = http.StatusForbidden
	}
}

func (d decoder) textInto(into *string, what string) func(*yaml.Node) {
	return func(n *yaml.Node) { *into = d.Text(n, what) }
}

func (d decoder) textsInto(into *[]string, what string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d.List(n, what, func(item *yaml.Node) { *into = append(*into, d.Text(item, what)) })
	}
}

func (d decoder) booleanInto(into *bool, what string) func(*yaml.Node) {
	return func(n *yaml.Node) { *into = d.Boolean(n, what) }
}

func (d decoder) wordInto(into *string, what string, words ...string) func(*yaml.Node) {
	return func(n *yaml.Node) { *into = d.Word(n, what, words) }
}

func (d decoder) variables(n *yaml.Node) (list []variable) {
	d.Named(n, "set", func(key, value *yaml.Node) {
		if strings.ContainsAny(key.Value, "= *") {
			d.Mistake(key, yamlfile.BadValue, "%q cannot be the name of a variable", key.Value)
		}
		list = append(list, variable{Name: key.Value, Value: d.Text(value, "a variable's value")})
	})
	return list
}

func (d decoder) directories(n *yaml.Node) (list []directory) {
	d.Named(n, "directories", func(key, value *yaml.Node) {
		dir := directory{Name: key.Value}
		d.Mapping(value, "a directory", []yamlfile.Member{
			yamlfile.Required("env", d.textInto(&dir.Env, "env")),
			yamlfile.Required("else", d.textInto(&dir.Else, "else")),
		})
		if slices.Contains([]string{"home", "project"}, dir.Name) {
			d.Mistake(key, yamlfile.BadValue, "%q is a directory that is known already", dir.Name)
		}
		list = append(list, dir)
	})
	return list
}

func (d decoder) settings(n *yaml.Node) (list []settings) {
	d.List(n, "settings", func(item *yaml.Node) {
		s := settings{Format: "json", Counts: true}
		d.Mapping(item, "a settings file", []yamlfile.Member{
			yamlfile.Optional("os", d.textInto(&s.OS, "os")),
			yamlfile.Required("source", d.wordInto(&s.Source, "source", sources()...)),
			yamlfile.Required("path", d.textInto(&s.Path, "path")),
			yamlfile.Optional("format", d.wordInto(&s.Format, "format", "json", "toml")),
			yamlfile.Optional("counts", d.booleanInto(&s.Counts, "counts")),
		})
		list = append(list, s)
	})
	return list
}

func (d decoder) keys(n *yaml.Node) (list []key) {
	d.List(n, "keys", func(item *yaml.Node) {
		k := key{Effect: EffectNone}
		d.Mapping(item, "a key", []yamlfile.Member{
			yamlfile.Required("key", d.textInto(&k.Name, "key")),
			yamlfile.Optional("effect", func(v *yaml.Node) { k.Effect = Effect(d.Word(v, "effect", effects())) }),
			yamlfile.Optional("switch", d.booleanInto(&k.Switch, "switch")),
			yamlfile.Optional("unless", d.textInto(&k.Unless, "unless")),
			yamlfile.Optional("sources", d.sourcesInto(&k.Sources)),
			yamlfile.Optional("advice", d.textInto(&k.Advice, "advice")),
		})
		list = append(list, k)
	})
	return list
}

func (d decoder) flags(n *yaml.Node) (list []flag) {
	d.List(n, "flags", func(item *yaml.Node) {
		f := flag{Format: "json"}
		d.Mapping(item, "a flag", []yamlfile.Member{
			yamlfile.Required("flag", d.textInto(&f.Name, "flag")),
			yamlfile.Required("takes", d.wordInto(&f.Takes, "takes", takesSettings, takesSetting, takesNothing)),
			yamlfile.Optional("format", d.wordInto(&f.Format, "format", "json", "toml")),
		})
		list = append(list, f)
	})
	return list
}

func (d decoder) sourcesInto(into *[]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d.List(n, "sources", func(item *yaml.Node) { *into = append(*into, d.Word(item, "source", sources())) })
	}
}

func (d decoder) logins(n *yaml.Node) (list []login) {
	d.List(n, "logins", func(item *yaml.Node) {
		var l login
		d.Mapping(item, "a login", []yamlfile.Member{
			yamlfile.Optional("os", d.textInto(&l.OS, "os")),
			yamlfile.Optional("path", d.textInto(&l.Path, "path")),
			yamlfile.Optional("keychain", d.textInto(&l.Keychain, "keychain")),
		})
		if (l.Path == "") == (l.Keychain == "") {
			d.Mistake(item, yamlfile.BadValue, "a login has a path or a keychain, and not both")
		}
		list = append(list, l)
	})
	return list
}

func (d decoder) precedence(n *yaml.Node) (p precedence) {
	d.Mapping(n, "precedence", []yamlfile.Member{
		yamlfile.Optional("always", d.booleanInto(&p.Always, "always")),
		yamlfile.Required("arguments", d.textsInto(&p.Arguments, "arguments")),
		yamlfile.Optional("file", func(v *yaml.Node) { p.File, p.Keys = d.settingsFile(v) }),
		yamlfile.Optional("keys", d.textsInto(&p.Keys, "keys")),
		yamlfile.Required("sources", d.sourcesInto(&p.Sources)),
	})
	return p
}

// settingsFile is a settings file that is put in front of the program's own, and the keys that it
// sets: those are overridden.
func (d decoder) settingsFile(n *yaml.Node) (content string, keys []string) {
	content = d.Text(n, "file")
	document, problem := parseSettings("json", []byte(content))
	if problem != "" {
		d.Mistake(n, yamlfile.BadValue, "file is a settings file in JSON: %s", problem)
	}
	for name := range leaves("", document, maxDepth) {
		keys = append(keys, name)
	}
	return content, keys
}
