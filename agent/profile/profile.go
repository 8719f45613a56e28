package profile

import (
	"cmp"
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"go.yaml.in/yaml/v3"
)

// A Profile is what is known of an agent program: what it reads from its environment,
// which settings override that, where it keeps a login. Each is a YAML file, built in
// or the user's own. It is read-only once decoded, and then safe for concurrent use.
type Profile struct {
	Name       string // of the file, without its ending
	File       string // the user's own file, as it was named; "" for a built-in profile
	Label      string // what people call the program
	Retries401 bool   // it repeats a request that was answered 401
	// RefusalStatus is the status with which a refusal whose cause is known is handed on: one
	// at which the program stops, and shows the message alone; so is a server that takes no
	// connection. 0: as it came.
	RefusalStatus int
	Origins       bool     // it takes the origin of a URL alone, and drops what path there is
	Headers       []string // header fields besides Authorization in which it sends a credential
	Schemes       []string // of Authorization besides Bearer, under which it sends one
	Query         []string // parameters of the query in which it sends one
	Passing       []string // header fields that hold no credential, though their names sound like it
	Logout        string   // the command that clears a stored login; "" where there is none

	commands    []string   // base names by which it is started; * for every command
	packages    []string   // names of the packages that hold it, as npx takes them
	drop        []string   // environment variables that the child must not inherit; * stands for any text
	set         []variable // environment variables that the child gets
	directories []directory
	settings    []settings // in order of rank, the highest first
	keys        []key
	flags       []flag
	mcpFiles    []mcpFile
	offline     []string // arguments with which it sends no request: flags, and commands of its own
	logins      []login
	precedence  precedence
}

// A variable is an environment variable. In its value {lease} stands for the lease, and
// {name} for the URL of the base of that name, as the child reaches it.
type variable struct {
	Name  string
	Value pattern
}

// A pattern is a text of the profile in which words in braces stand for something.
type pattern struct {
	text  string
	place string // file:line:column, for messages
}

// A directory is a place that a variable of the environment can move.
type directory struct {
	Name string
	Env  string // the variable that names it
	Else string // where it is otherwise; {home} and {project} allowed
}

// settings is a file in which the program finds settings of its own.
type settings struct {
	OS     string // as [runtime.GOOS]; "" for every system
	Source string // managed, local, project, user: whose settings they are
	Path   string // {home}, {project} and the names of directories allowed; a final /* is every file with the format's ending
	Format string // json or toml
	Counts bool   // the program applies it; otherwise it is only reported
}

// A key is a setting, or a variable of the environment, that can override the
// credential or where requests go.
type key struct {
	Name    string   // dotted path in a settings file; * stands for any text
	Effect  Effect   // of it in a settings file that the program applies
	Switch  bool     // "", 0 and false switch it off
	Fields  bool     // its value is header fields, a line each; its effect is theirs
	Unless  string   // the value with which it is not in the way; "" for none
	Needed  bool     // it is in the way where no settings have it, too
	Sources []string // the only sources in which it does anything; none: all
	Advice  string   // what to do about it
}

// A flag of the program's command line is one that changes settings.
type flag struct {
	Name   string
	Takes  string // settings, mcp_servers: the path of a file of them, or their text; setting: KEY=VALUE; nothing
	Many   bool   // it takes every word up to the next flag
	Format string // json or toml
}

// A login is a place where the program keeps a login of its own.
type login struct {
	OS       string // as [runtime.GOOS]; "" for every system
	Path     string // as in settings; "" for a keychain item
	Keychain string // name of the item in the system's keychain
}

// precedence is how the program can be told to prefer what it was given over its own
// settings, without anything being asked of the user.
type precedence struct {
	Always    bool      // even where no settings are in the way: it reads no base URL from its environment
	Arguments []pattern // put before its own; {file} is the path of the settings file, the rest as in a variable
	File      pattern   // content of the settings file; without text where none is needed
	Sources   []string  // the sources of settings that it overrides
	Keys      []string  // the keys that it overrides there: those that the file sets, or as the profile says
}

// overrides reports whether a key of such settings is overridden.
func (p precedence) overrides(source, key string) bool {
	return slices.Contains(p.Sources, source) && slices.Contains(p.Keys, key)
}

//go:embed profiles/*.yaml
var profiles embed.FS

// Schema is the JSON Schema (draft 2020-12) of a profile, for editors; [Decode] is the judge.
func Schema() []byte {
	s := yamlfile.Describe(func(r *yamlfile.Reader, root *yaml.Node) {
		decoder{r, new([]writtenPath)}.profile(new(Profile), root)
	})
	s.About = "What an agent program reads from its environment, which settings override that, where it keeps a login."
	return s.Schema("An agent's profile")
}

// anyCommand is the entry in commands of the profile that fits every command.
const anyCommand = "*"

// All decodes the built-in profiles, in the order of their names. An error is a
// fault of this program.
func All() ([]*Profile, error) {
	entries, err := profiles.ReadDir("profiles")
	if err != nil {
		return nil, err
	}
	var list []*Profile
	for _, e := range entries {
		p, err := readProfile(e.Name())
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func readProfile(name string) (*Profile, error) {
	text, err := profiles.ReadFile("profiles/" + name)
	if err != nil {
		return nil, err
	}
	return Decode("builtin:"+name, text)
}

// Find returns the profile that a person means: a file of their own, where the word has a
// slash or ends in .yaml or .yml, else the built-in one. Errors: those of reading the file,
// [yamlfile.Mistakes] with every mistake in it, those of [ByName].
func Find(word string) (*Profile, error) {
	if !strings.ContainsAny(word, `/\`) && path.Ext(word) != ".yaml" && path.Ext(word) != ".yml" {
		return ByName(word)
	}
	text, err := yamlfile.Read(word)
	if err != nil {
		return nil, err
	}
	p, err := Decode(word, text)
	if p != nil {
		p.File = word
	}
	return p, err
}

// Word is what [Find] takes for the profile: its file as it was named, or its name.
func (p *Profile) Word() string { return cmp.Or(p.File, p.Name) }

// ByName returns the built-in profile of that name, or for the command of that name; the
// error lists those that there are.
func ByName(name string) (*Profile, error) {
	list, err := All()
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		if slices.Contains(p.words(), name) {
			return p, nil
		}
	}
	return nil, fmt.Errorf("unknown agent %q%s", name, text.Allowed(name, Names()))
}

// Names lists what [ByName] takes.
func Names() []string {
	list, _ := All() // an error is a fault of this program, which All tells
	var names []string
	for _, p := range list {
		names = append(names, p.words()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// words are the names by which a person may mean the profile.
func (p *Profile) words() []string {
	words := append([]string{p.Name}, p.commands...)
	return slices.DeleteFunc(words, func(word string) bool { return word == anyCommand })
}

// ForCommand returns the built-in profile for the program that a command line starts, also
// through a shell, npx and their like; one that fits every command where no other does.
func ForCommand(command Command) (*Profile, error) {
	list, err := All()
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		if _, ok := p.started(command); ok {
			return p, nil
		}
	}
	for _, p := range list {
		if p.ForAny() {
			return p, nil
		}
	}
	return nil, fmt.Errorf("no profile is for %q, nor for every command", command.words)
}
