package profile

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/template"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"go.yaml.in/yaml/v3"
)

// Decode reads the file of an agent program; file is its name in messages, and its base
// name that of the profile. The error is every mistake in it, with its place.
func Decode(file string, content []byte) (*Profile, error) {
	d := decoder{&yamlfile.Reader{File: file}, new([]writtenPath)}
	base := path.Base(strings.TrimPrefix(strings.ReplaceAll(file, `\`, "/"), "builtin:"))
	p := &Profile{Name: strings.TrimSuffix(base, path.Ext(base))}
	if root := d.Document(content); root != nil {
		d.profile(p, root)
	}
	if mistakes := d.Told(); len(mistakes) > 0 {
		return nil, mistakes
	}
	return p, nil
}

type decoder struct {
	*yamlfile.Reader
	paths *[]writtenPath
}

// A writtenPath is a path of the file, whose names are looked at once all directories are known.
type writtenPath struct {
	at   *yaml.Node
	text string
	own  bool // it says where a directory is, and can name none of the file's own
}

// pathInto reads a path.
func (d decoder) pathInto(into *string, what string, own bool) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*into = d.Text(n, what)
		*d.paths = append(*d.paths, writtenPath{n, *into, own})
	}
}

// sources are the words for whose settings a file holds, the highest rank first.
func sources() []string { return []string{SourceManaged, SourceLocal, SourceProject, SourceUser} }

// systems are the operating systems that a profile can name, as [runtime.GOOS] does.
func systems() []string {
	return []string{"darwin", "freebsd", "linux", "netbsd", "openbsd", "windows"}
}

func (d decoder) profile(p *Profile, n *yaml.Node) {
	d.Mapping(n, "a profile", []yamlfile.Member{
		yamlfile.Required("label", d.textInto(&p.Label, "label"), "what people call the program"),
		yamlfile.Required("commands", func(v *yaml.Node) { p.commands = d.commands(v) }, "names by which it is started; * for every command"),
		yamlfile.Optional("packages", d.textsInto(&p.packages, "packages"), "names of the packages that hold it, as npx takes them"),
		yamlfile.Optional("drop", d.textsInto(&p.drop, "drop"), "environment variables that the child must not inherit; * stands for any text"),
		yamlfile.Optional("set", func(v *yaml.Node) { p.set = d.variables(v) }, "environment variables that the child gets; {lease} stands for the lease, {gateway} for the URL of the base of that name"),
		yamlfile.Optional("retries_401", d.booleanInto(&p.Retries401, "retries_401"), "it repeats a request that was answered 401"),
		yamlfile.Optional("refusal_status", func(v *yaml.Node) { p.RefusalStatus = d.Number(v, "refusal_status", 400, 499) }, "the status with which a refusal is handed on whose cause is known: one at which the program stops, and shows the message alone; 403 where retries_401 is true, else as it came"),
		yamlfile.Optional("origins", d.booleanInto(&p.Origins, "origins"), "it takes the origin of a URL alone: each base gets a port of its own, and no path"),
		yamlfile.Optional("credential_headers", d.tokensInto(&p.Headers, "credential_headers", ofTheConnection), "header fields besides Authorization in which it sends a credential"),
		yamlfile.Optional("credential_schemes", d.tokensInto(&p.Schemes, "credential_schemes", nil), "schemes of Authorization besides Bearer, under which it sends a credential"),
		yamlfile.Optional("credential_query", d.textsInto(&p.Query, "credential_query"), "parameters of the query in which it sends a credential"),
		yamlfile.Optional("passing_headers", d.tokensInto(&p.Passing, "passing_headers", ofTheConnection), "header fields that hold no credential, though their names sound like it"),
		yamlfile.Optional("directories", func(v *yaml.Node) { p.directories = d.directories(v) }, "places that a variable of the environment can move"),
		yamlfile.Optional("settings", func(v *yaml.Node) { p.settings = d.settings(v) }, "files in which the program finds settings of its own, the highest rank first"),
		yamlfile.Optional("keys", func(v *yaml.Node) { p.keys = d.keys(v) }, "settings and variables (env.NAME) that can override the credential or where requests go"),
		yamlfile.Optional("flags", func(v *yaml.Node) { p.flags = d.flags(v) }, "flags of its command line that change its settings"),
		yamlfile.Optional("mcp_files", func(v *yaml.Node) { p.mcpFiles = d.mcpFiles(v) }, "files in which it finds MCP servers: one with the provider's real address goes past ambit run"),
		yamlfile.Optional("offline", d.textsInto(&p.offline, "offline"), "arguments with which it sends no request: flags, and commands of its own where they come first"),
		yamlfile.Optional("logins", func(v *yaml.Node) { p.logins = d.logins(v) }, "places where the program keeps a login of its own"),
		yamlfile.Optional("logout", d.textInto(&p.Logout, "logout"), "the command that clears a stored login"),
		yamlfile.Optional("precedence", func(v *yaml.Node) { p.precedence = d.precedence(v) }, "how the program is told to prefer what it was given over its own settings"),
	})
	if p.Retries401 && p.RefusalStatus == 0 {
		p.RefusalStatus = http.StatusForbidden
	}
	d.checkPaths(p.directories)
}

// commands are the names by which the program is started.
func (d decoder) commands(n *yaml.Node) (list []string) {
	d.List(n, "commands", func(item *yaml.Node) {
		d.Is(item, yamlfile.Spelling{Pattern: `^[^/\\]+$`})
		name := d.Text(item, "commands")
		if strings.ContainsAny(name, `/\`) {
			d.Mistake(item, yamlfile.BadValue, "%q is a path: a command is the name of a program", name)
		}
		list = append(list, name)
	})
	d.AtLeast(n, 1, "commands is empty")
	return list
}

// ofTheConnection are header fields of the connection and of the message's own frame: the proxy has
// them for itself (RFC 9110 §7.6.1, §7.2, §8.6).
var ofTheConnection = []string{
	"Connection", "Content-Encoding", "Content-Length", "Expect", "Host", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade",
}

// tokensInto reads names of header fields or of schemes, none of which is refused.
func (d decoder) tokensInto(into *[]string, what string, refused []string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d.List(n, what, func(item *yaml.Node) {
			d.Is(item, yamlfile.Spelling{Pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", Not: refused, AnyCase: true})
			name := d.Text(item, what)
			switch {
			case name == "":
			case !text.IsToken(name):
				d.Mistake(item, yamlfile.BadValue, "%s: %q cannot be such a name: letters, digits, - and _ only", what, name)
			case slices.Contains(refused, http.CanonicalHeaderKey(name)):
				d.Mistake(item, yamlfile.BadValue, "%s: %q is a field of the connection, which the proxy sets itself", what, name)
			}
			*into = append(*into, name)
		})
	}
}

// pattern reads a text in which {lease} and {name} stand for something, and notes where it stands.
func (d decoder) pattern(n *yaml.Node, what string) pattern {
	p := pattern{text: d.Text(n, what), place: fmt.Sprintf("%s:%d:%d", text.Line(d.File), n.Line, n.Column)}
	if word := template.Mistaken(p.text); word != "" {
		d.Mistake(n, yamlfile.BadValue, "%q is not known: write {lease}, or the name of a base as in {api}, in lower case and in one pair of braces", word)
	}
	return p
}

// checkPaths looks for names in paths that are not those of a directory.
func (d decoder) checkPaths(directories []directory) {
	always := []string{homeWord, projectWord}
	known := slices.Clone(always)
	for _, dir := range directories {
		known = append(known, dir.Name)
	}
	for _, path := range *d.paths {
		if path.own {
			d.checkNames(path.at, path.text, always)
		} else {
			d.checkNames(path.at, path.text, known)
		}
	}
}

func (d decoder) checkNames(n *yaml.Node, path string, known []string) {
	if word := template.Mistaken(path); word != "" {
		d.Mistake(n, yamlfile.BadValue, "%q is not a directory%s", word, text.Allowed(word, known))
		return
	}
	_, unknown := template.Fill(path, func(name string) (string, bool) { return "", slices.Contains(known, name) })
	if unknown != "" {
		d.Mistake(n, yamlfile.BadValue, "{%s} is not a directory%s", unknown, text.Allowed(unknown, known))
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
		d.Is(key, yamlfile.Spelling{Pattern: "^[^= *]+$", Not: givenVariables, AnyCase: true})
		if strings.ContainsAny(key.Value, "= *") {
			d.Mistake(key, yamlfile.BadValue, "%q cannot be the name of a variable", key.Value)
		}
		if slices.ContainsFunc(givenVariables, func(pattern string) bool { return glob(pattern, key.Value) }) {
			d.Mistake(key, yamlfile.BadValue, "%q is a variable that ambit run sets itself", key.Value)
		}
		list = append(list, variable{Name: key.Value, Value: d.pattern(value, "a variable's value")})
	})
	return list
}

func (d decoder) directories(n *yaml.Node) (list []directory) {
	d.Named(n, "directories", func(key, value *yaml.Node) {
		dir := directory{Name: key.Value}
		d.Mapping(value, "a directory", []yamlfile.Member{
			yamlfile.Required("env", d.textInto(&dir.Env, "env"), "the variable that names the directory"),
			yamlfile.Required("else", d.pathInto(&dir.Else, "else", true), "where it is otherwise; {home} and {project} allowed"),
		})
		d.Is(key, yamlfile.Spelling{Not: []string{homeWord, projectWord}})
		if slices.Contains([]string{homeWord, projectWord}, dir.Name) {
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
			yamlfile.Optional("os", d.wordInto(&s.OS, "os", systems()...), "the only system for which it is"),
			yamlfile.Required("source", d.wordInto(&s.Source, "source", sources()...), "whose settings these are"),
			yamlfile.Required("path", d.pathInto(&s.Path, "path", false), "{home}, {project} and the names of directories allowed; a final /* is every file of the format"),
			yamlfile.Optional("format", d.wordInto(&s.Format, "format", "json", "toml"), "json where it is left out"),
			yamlfile.Optional("counts", d.booleanInto(&s.Counts, "counts"), "false: the program does not apply the file"),
		})
		list = append(list, s)
	})
	return list
}

func (d decoder) mcpFiles(n *yaml.Node) (list []mcpFile) {
	d.List(n, "mcp_files", func(item *yaml.Node) {
		f := mcpFile{Format: "json"}
		d.Mapping(item, "a file of MCP servers", []yamlfile.Member{
			yamlfile.Required("source", d.wordInto(&f.Source, "source", sources()...), "whose settings these are"),
			yamlfile.Required("path", d.pathInto(&f.Path, "path", false), "as in settings"),
			yamlfile.Optional("format", d.wordInto(&f.Format, "format", "json", "toml"), "json where it is left out"),
			yamlfile.Required("urls", d.textsInto(&f.URLs, "urls"), "dotted paths of texts, or of lists of them, that can have the servers' URLs; * stands for any text, {project} for the working directory"),
			yamlfile.Required("advice", d.textInto(&f.Advice, "advice"), "how such a server is reached through ambit run"),
		})
		list = append(list, f)
	})
	return list
}

func (d decoder) keys(n *yaml.Node) (list []key) {
	d.List(n, "keys", func(item *yaml.Node) {
		k := key{Effect: EffectNone}
		d.Mapping(item, "a key", []yamlfile.Member{
			yamlfile.Required("key", d.textInto(&k.Name, "key"), "a dotted path; * stands for any text"),
			yamlfile.Optional("effect", func(v *yaml.Node) { k.Effect = Effect(d.Word(v, "effect", effects())) }, "what it does in a settings file that the program applies: requests go elsewhere; another credential, or none, is sent in place of the lease; another is sent beside it, and dropped; nothing by itself"),
			yamlfile.Optional("switch", d.booleanInto(&k.Switch, "switch"), "an empty text, 0 and false switch it off"),
			yamlfile.Optional("fields", d.booleanInto(&k.Fields, "fields"), "its value is header fields, a line each, whose names decide on its effect"),
			yamlfile.Optional("unless", d.textInto(&k.Unless, "unless"), "the value with which it is not in the way"),
			yamlfile.Optional("needed", d.booleanInto(&k.Needed, "needed"), "it is in the way where no settings have it, too"),
			yamlfile.Optional("sources", d.sourcesInto(&k.Sources), "the only sources in which it does anything"),
			yamlfile.Optional("advice", d.textInto(&k.Advice, "advice"), "what to do about it"),
		})
		d.Needs(item, "needed", "unless", "a key that is needed says in unless which value it must have")
		list = append(list, k)
	})
	return list
}

func (d decoder) flags(n *yaml.Node) (list []flag) {
	d.List(n, "flags", func(item *yaml.Node) {
		f := flag{Format: "json"}
		d.Mapping(item, "a flag", []yamlfile.Member{
			yamlfile.Required("flag", func(v *yaml.Node) {
				d.Is(v, yamlfile.Spelling{Pattern: "^-+[^-]"})
				f.Name = d.Text(v, "flag")
			}, "with its dashes"),
			yamlfile.Required("takes", d.wordInto(&f.Takes, "takes", takesSettings, takesServers, takesSetting, takesNothing), "the path of a file of settings, or their text; the same of MCP servers, in the format of the first of mcp_files; KEY=VALUE; nothing: the flag is a key of its own, whatever value it has"),
			yamlfile.Optional("many", d.booleanInto(&f.Many, "many"), "it takes every word up to the next flag"),
			yamlfile.Optional("format", d.wordInto(&f.Format, "format", "json", "toml"), "json where it is left out"),
		})
		if f.Name != "" && (f.Name[0] != '-' || strings.Trim(f.Name, "-") == "") {
			d.Mistake(item, yamlfile.BadValue, "%q cannot be a flag: it is written with its dashes, as in --settings", f.Name)
		}
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
			yamlfile.Optional("os", d.wordInto(&l.OS, "os", systems()...), "the only system for which it is"),
			yamlfile.Optional("path", d.pathInto(&l.Path, "path", false), "a file, as in settings"),
			yamlfile.Optional("keychain", d.textInto(&l.Keychain, "keychain"), "an item of the system's keychain"),
		})
		d.OneOf(item, "a login", "path", "keychain")
		list = append(list, l)
	})
	return list
}

func (d decoder) precedence(n *yaml.Node) (p precedence) {
	d.Mapping(n, "precedence", []yamlfile.Member{
		yamlfile.Optional("always", d.booleanInto(&p.Always, "always"), "even where no settings are in the way"),
		yamlfile.Required("arguments", func(v *yaml.Node) {
			d.List(v, "arguments", func(item *yaml.Node) { p.Arguments = append(p.Arguments, d.pattern(item, "arguments")) })
		}, "put before its own; {file} is the path of the settings file"),
		yamlfile.Optional("file", func(v *yaml.Node) { p.File, p.Keys = d.settingsFile(v) }, "the content of the settings file"),
		yamlfile.Optional("keys", d.textsInto(&p.Keys, "keys"), "the keys that the arguments override without a file"),
		yamlfile.Required("sources", d.sourcesInto(&p.Sources), "the sources of settings that it overrides"),
	})
	names := func(argument pattern) bool { return strings.Contains(argument.text, "{"+fileWord+"}") }
	switch named := slices.ContainsFunc(p.Arguments, names); {
	case named && p.File.text == "":
		d.Mistake(n, yamlfile.BadValue, "the arguments name {file}, and file does not say what is in it")
	case !named && p.File.text != "":
		d.Mistake(n, yamlfile.BadValue, "the program would not find the file: one of the arguments names it as {file}")
	}
	return p
}

// settingsFile is a settings file that is put in front of the program's own, and the keys that it
// sets: those are overridden.
func (d decoder) settingsFile(n *yaml.Node) (content pattern, keys []string) {
	if d.Describing() {
		d.Text(n, "file")
		return pattern{}, nil
	}
	document, problem := parseSettings("json", []byte(n.Value))
	if problem != "" {
		d.Mistake(n, yamlfile.BadValue, "file is a settings file in JSON: %s", problem)
		return pattern{text: n.Value}, nil
	}
	content = d.pattern(n, "file")
	for name := range leaves("", document, maxDepth) {
		keys = append(keys, name)
	}
	return content, keys
}
