package profile

import (
	"path"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/yamlfile"
	"go.yaml.in/yaml/v3"
)

// Sources of a [Conflict] that stand in a settings file, the highest rank first.
const (
	SourceManaged = "managed" // of whoever administers the machine
	SourceLocal   = "local"   // of the user, for this project
	SourceProject = "project" // of everyone who works on the project
	SourceUser    = "user"
)

// DecodeProfile reads an agent's file; file is its name in messages, and its base name
// that of the profile. The error is [scopes.Mistakes] with everything that is wrong.
func Decode(file string, text []byte) (*Profile, error) {
	r := &reader{file: file}
	base := path.Base(strings.TrimPrefix(strings.ReplaceAll(file, `\`, "/"), "builtin:"))
	p := &Profile{Name: strings.TrimSuffix(base, path.Ext(base))}
	if root := r.document(text); root != nil {
		r.profile(p, root)
	}
	if len(r.mistakes) > 0 {
		return nil, r.told()
	}
	return p, nil
}

func (r *reader) profile(p *Profile, n *yaml.Node) {
	r.mapping(n, "an agent's file",
		member{"label", true, func(v *yaml.Node) { p.Label = r.text(v, "label") }},
		member{"commands", true, func(v *yaml.Node) { p.Commands = r.texts(v, "commands") }},
		member{"drop", false, func(v *yaml.Node) { p.Drop = r.texts(v, "drop") }},
		member{"set", false, func(v *yaml.Node) { p.Set = r.variables(v) }},
		member{"retries_401", false, func(v *yaml.Node) { p.Retries401 = r.boolean(v, "retries_401") }},
		member{"credential_headers", false, func(v *yaml.Node) { p.Headers = r.texts(v, "credential_headers") }},
		member{"folders", false, func(v *yaml.Node) { p.Folders = r.folders(v) }},
		member{"settings", false, func(v *yaml.Node) { p.Settings = r.settings(v) }},
		member{"keys", false, func(v *yaml.Node) { p.Keys = r.keys(v) }},
		member{"logins", false, func(v *yaml.Node) { p.Logins = r.logins(v) }},
		member{"logout", false, func(v *yaml.Node) { p.Logout = r.text(v, "logout") }},
		member{"outrank", false, func(v *yaml.Node) { p.Outrank = r.outrank(v) }},
	)
}

func (r *reader) variables(n *yaml.Node) (list []Variable) {
	r.pairs(n, "set", func(key, value *yaml.Node) {
		if strings.ContainsAny(key.Value, "= *") || key.Value == "" {
			r.mistake(key, yamlfile.BadValue, "%q is no name of a variable", key.Value)
		}
		list = append(list, Variable{Name: key.Value, Value: r.text(value, "a variable's value")})
	})
	return list
}

func (r *reader) folders(n *yaml.Node) (list []Folder) {
	r.pairs(n, "folders", func(key, value *yaml.Node) {
		f := Folder{Name: key.Value}
		r.mapping(value, "a folder",
			member{"env", true, func(v *yaml.Node) { f.Env = r.text(v, "env") }},
			member{"else", true, func(v *yaml.Node) { f.Else = r.text(v, "else") }},
		)
		if slices.Contains([]string{"home", "project"}, f.Name) {
			r.mistake(key, yamlfile.BadValue, "%q is a folder that is known already", f.Name)
		}
		list = append(list, f)
	})
	return list
}

func (r *reader) settings(n *yaml.Node) (list []Settings) {
	r.list(n, "settings", func(item *yaml.Node) {
		s := Settings{Form: "json", Counts: true}
		r.mapping(item, "a settings file",
			member{"os", false, func(v *yaml.Node) { s.OS = r.text(v, "os") }},
			member{"source", true, func(v *yaml.Node) {
				s.Source = r.word(v, "source", SourceManaged, SourceLocal, SourceProject, SourceUser)
			}},
			member{"path", true, func(v *yaml.Node) { s.Path = r.text(v, "path") }},
			member{"form", false, func(v *yaml.Node) { s.Form = r.word(v, "form", "json", "toml") }},
			member{"counts", false, func(v *yaml.Node) { s.Counts = r.boolean(v, "counts") }},
		)
		list = append(list, s)
	})
	return list
}

func (r *reader) keys(n *yaml.Node) (list []Key) {
	r.list(n, "keys", func(item *yaml.Node) {
		var k Key
		r.mapping(item, "a key",
			member{"key", true, func(v *yaml.Node) { k.Name = r.text(v, "key") }},
			member{"outranks", false, func(v *yaml.Node) { k.Outranks = r.boolean(v, "outranks") }},
			member{"switch", false, func(v *yaml.Node) { k.Switch = r.boolean(v, "switch") }},
			member{"advice", false, func(v *yaml.Node) { k.Advice = r.text(v, "advice") }},
		)
		list = append(list, k)
	})
	return list
}

func (r *reader) logins(n *yaml.Node) (list []Login) {
	r.list(n, "logins", func(item *yaml.Node) {
		var l Login
		r.mapping(item, "a login",
			member{"os", false, func(v *yaml.Node) { l.OS = r.text(v, "os") }},
			member{"path", false, func(v *yaml.Node) { l.Path = r.text(v, "path") }},
			member{"keychain", false, func(v *yaml.Node) { l.Keychain = r.text(v, "keychain") }},
		)
		if (l.Path == "") == (l.Keychain == "") {
			r.mistake(item, yamlfile.BadValue, "a login has a path or a keychain, and not both")
		}
		list = append(list, l)
	})
	return list
}

func (r *reader) outrank(n *yaml.Node) (o Outrank) {
	r.mapping(n, "outrank",
		member{"always", false, func(v *yaml.Node) { o.Always = r.boolean(v, "always") }},
		member{"arguments", true, func(v *yaml.Node) { o.Arguments = r.texts(v, "arguments") }},
		member{"file", false, func(v *yaml.Node) { o.File = r.text(v, "file") }},
		member{"sources", true, func(v *yaml.Node) {
			r.list(v, "sources", func(item *yaml.Node) {
				o.Sources = append(o.Sources, r.word(item, "source", SourceManaged, SourceLocal, SourceProject, SourceUser))
			})
		}},
	)
	return o
}
