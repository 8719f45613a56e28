package profile

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
)

// A Profile is what is known of an agent program: what it reads from its environment,
// which settings override that, where it keeps a login. Each is a YAML file, built in
// or the user's own. It is read-only once decoded, and then safe for concurrent use.
type Profile struct {
	Name        string     // of the file, without its ending
	Label       string     // what people call the program
	Commands    []string   // base names by which it is started; * for every command
	Drop        []string   // environment variables that the child must not inherit; * stands for any text
	Set         []Variable // environment variables that the child gets
	Retries401  bool       // it repeats a request that was answered 401, and stops at a 403
	Headers     []string   // header fields besides Authorization in which it sends a credential
	Directories []Directory
	Settings    []Settings // in order of rank, the highest first
	Keys        []Key
	Logins      []Login
	Logout      string // the command that clears a stored login; "" where there is none
	Precedence  Precedence
}

// A Variable is an environment variable. In its value {lease} stands for the lease, and
// {name} for the URL of the base of that name, as the child reaches it.
type Variable struct{ Name, Value string }

// A Directory is a place that a variable of the environment can move.
type Directory struct {
	Name string
	Env  string // the variable that names it
	Else string // where it is otherwise; {home} and {project} allowed
}

// A Settings is a file in which the program finds settings of its own.
type Settings struct {
	OS     string // as [runtime.GOOS]; "" for every system
	Source string // managed, local, project, user: whose settings they are
	Path   string // {home}, {project} and the names of Directories allowed; a final /* is every file with the format's ending
	Format string // json or toml
	Counts bool   // the program applies it; otherwise it is only reported
}

// A Key is a setting, or a variable of the environment, that can override the
// credential or where requests go.
type Key struct {
	Name      string // dotted path in a settings file; * stands for any text
	Overrides bool   // from a settings file it overrides what the child was given
	Switch    bool   // "", 0 and false switch it off
	Advice    string // what to do about it
}

// A Login is a place where the program keeps a login of its own.
type Login struct {
	OS       string // as [runtime.GOOS]; "" for every system
	Path     string // as in [Settings]; "" for a keychain item
	Keychain string // name of the item in the system's keychain
}

// Precedence is how the program can be told to prefer what it was given over its own
// settings, without anything being asked of the user.
type Precedence struct {
	Always    bool     // even where no settings are in the way: it reads no base URL from its environment
	Arguments []string // put before its own; {file} is the path of the settings file, the rest as in [Variable]
	File      string   // content of the settings file; "" where none is needed
	Sources   []string // the sources of settings that it overrides
}

//go:embed profiles/*.yaml
var profiles embed.FS

// anyCommand is the entry in Commands of the profile that fits every command.
const anyCommand = "*"

// Profiles decodes the built-in profiles, in the order of their names. An error is a
// fault of this program.
func Profiles() ([]*Profile, error) {
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

// An UnknownProfileError names an agent of which nothing is known.
type UnknownProfileError struct {
	Name  string
	Known []string
}

// Error names the agent and those that are known.
func (e *UnknownProfileError) Error() string {
	return fmt.Sprintf("unknown agent %q: known are %s", e.Name, strings.Join(e.Known, ", "))
}

// Builtin returns the built-in profile of that name; the error is an
// *[UnknownProfileError] where there is none.
func ByName(name string) (*Profile, error) {
	list, err := Profiles()
	if err != nil {
		return nil, err
	}
	var known []string
	for _, p := range list {
		if p.Name == name {
			return p, nil
		}
		known = append(known, p.Name)
	}
	return nil, &UnknownProfileError{Name: name, Known: known}
}

// ForCommand returns the built-in profile for the first word of a command line, by its
// base name; one that fits every command where no other does.
func ForCommand(command string) (*Profile, error) {
	list, err := Profiles()
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		if p.Runs(command) {
			return p, nil
		}
	}
	for _, p := range list {
		if slices.Contains(p.Commands, anyCommand) {
			return p, nil
		}
	}
	return nil, &UnknownProfileError{Name: command}
}

// Runs reports whether command, the first word of a command line, starts this very
// program: a wrapper that starts it in turn takes arguments of its own.
func (p *Profile) Runs(command string) bool {
	base := path.Base(strings.ReplaceAll(command, `\`, "/"))
	for _, ending := range []string{".exe", ".cmd", ".bat", ".ps1"} {
		if cut := len(base) - len(ending); cut > 0 && strings.EqualFold(base[cut:], ending) {
			base = base[:cut]
			break
		}
	}
	return base != anyCommand && slices.Contains(p.Commands, base)
}
