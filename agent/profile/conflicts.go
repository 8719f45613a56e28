package profile

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/template"
	"github.com/ambit-auth/ambit/internal/text"
)

// A Conflict is something on this machine that can override the credential that an agent
// is given, or where its requests go. It never holds a
// value, only the name of what has one.
type Conflict struct {
	Path        string   // the file; for the environment its word, for a keychain the item
	Source      string   // managed, command, argument, local, project, user, environment, login
	Keys        []string // with one effect: what else the file sets is another Conflict
	Effect      Effect
	Overrides   bool   // its effect is one on what ambit run gives the child
	Overridable bool   // ambit run overrides it in turn, where it starts the program itself
	Overridden  bool   // this run does
	Problem     string // why the file could not be read; nothing is known of its keys then
	Advice      string // what to do, for people
}

// Says is what the file, or whatever else it is, does: it sets keys, or does not.
func (c Conflict) Says() string {
	verb := " sets "
	switch {
	case c.Effect == EffectLacks:
		verb = " does not set "
	case c.Source == SourceCommand:
		verb = " changes "
	}
	return c.Path + verb + strings.Join(c.Keys, ", ")
}

// An Effect is what a setting does to what a child was given.
type Effect string

// The effects. A profile says which one a key has, as far as that was measured.
const (
	EffectRoutes   Effect = "routes"   // requests go elsewhere
	EffectReplaces Effect = "replaces" // another credential, or none, is sent in place of the lease
	EffectDropped  Effect = "dropped"  // another credential is sent beside the lease, and the proxy drops it
	EffectLacks    Effect = "lacks"    // it is not set, and without it the lease is not sent
	EffectBypasses Effect = "bypasses" // requests to an MCP server of the provider go there without ambit
	EffectNone     Effect = "none"     // none by itself
)

// effects are the words for it that a key has in a profile.
func effects() []string {
	return []string{string(EffectRoutes), string(EffectReplaces), string(EffectDropped), string(EffectNone)}
}

// overrides reports whether it is one on what a child was given.
func (e Effect) overrides() bool { return e == EffectRoutes || e == EffectReplaces || e == EffectLacks }

// Sources of a [Conflict]: those of settings files, the highest rank first, then others.
const (
	SourceManaged = "managed" // of whoever administers the machine
	SourceLocal   = "local"   // of the user, for this project
	SourceProject = "project" // of everyone who works on the project
	SourceUser    = "user"

	SourceCommand     = "command"  // of the command line, which changes variables for the program
	SourceArgument    = "argument" // of the program's own flags, which override all but managed ones
	SourceEnvironment = "environment"
	SourceLogin       = "login" // one that the program stored
)

// A Place is where a scan looks.
type Place struct {
	Files   Files
	Home    string
	Project string // the child's working directory
	OS      string // as [runtime.GOOS]
	Environ []string
	Command Command  // the command line that is to be run; none where none is
	Hosts   []string // of the provider's bases, as [provider.HostOf] has them; see [EffectBypasses]
}

// Files is what a scan reads. Paths have forward slashes.
type Files interface {
	// ReadFile returns a file of at most limit bytes. The error is [fs.ErrNotExist]
	// where there is none.
	ReadFile(path string, limit int64) ([]byte, error)
	// ReadDir returns the names in a directory, none where there is no such directory.
	ReadDir(path string) []string
	// Exists reports whether there is a file; it is not opened.
	Exists(path string) bool
	// Keychain reports whether the system's keychain has an item; it is not read.
	Keychain(item string) bool
}

// Scan looks for conflicts: settings in the order of rank, then MCP servers, then stored
// logins (whether they exist, no more), then the environment.
func (p *Profile) Scan(where Place) []Conflict {
	s := scan{profile: p, Place: where, seen: make(map[string]bool), applied: make(map[string]bool)}
	s.allSettings(func(f settings) bool { return f.Source == SourceManaged })
	s.arguments()
	s.allSettings(func(f settings) bool { return f.Source != SourceManaged })
	s.needed()
	s.mcpServers()
	for _, l := range p.logins {
		if l.OS == "" || l.OS == where.OS {
			s.login(l)
		}
	}
	s.environment()
	return s.found
}

// Overriding are the conflicts that override what ambit run gives the child, and that this run
// does not override in turn.
func Overriding(conflicts []Conflict) []Conflict {
	var list []Conflict
	for _, c := range conflicts {
		if c.Overrides && !c.Overridden {
			list = append(list, c)
		}
	}
	return list
}

type scan struct {
	Place
	profile *Profile
	seen    map[string]bool // a project in the home directory has the user's settings as its own
	applied map[string]bool // keys that settings have
	found   []Conflict
}

func (s *scan) login(l login) {
	c := Conflict{Source: SourceLogin, Keys: []string{}, Effect: EffectNone, Advice: "nothing needs to be done: the lease overrides it"}
	if l.Keychain != "" {
		if s.Files.Keychain(l.Keychain) {
			c.Path = l.Keychain
			s.found = append(s.found, c)
		}
		return
	}
	if c.Path = s.expand(l.Path); s.Files.Exists(c.Path) {
		s.found = append(s.found, c)
	}
}

// environmentKeys is how a profile writes a variable as a key.
const environmentKeys = "env."

func (s *scan) environment() {
	c := Conflict{Path: "environment", Source: SourceEnvironment, Effect: EffectNone}
	for _, entry := range s.Environ {
		name, value, _ := strings.Cut(entry, "=")
		k, known := s.profile.key(environmentKeys + name)
		if known && value != "" && !(k.Switch && off(value)) && !slices.Contains(c.Keys, name) {
			c.Keys = append(c.Keys, text.Line(name))
		}
	}
	if len(c.Keys) == 0 {
		return
	}
	slices.Sort(c.Keys)
	c.Advice = "nothing needs to be done: ambit run removes them; otherwise unset " + strings.Join(c.Keys, ", ")
	s.found = append(s.found, c)
}

// key is the first of the profile that fits a dotted name.
func (p *Profile) key(name string) (key, bool) {
	for _, k := range p.keys {
		if glob(k.Name, name) {
			return k, true
		}
	}
	return key{}, false
}

// off reports whether a switch with this value does nothing.
func off(value string) bool {
	return slices.Contains([]string{"", "0", "false", "no", "off"}, strings.ToLower(strings.TrimSpace(value)))
}

// homeWord and projectWord stand for directories that every profile knows.
const (
	homeWord    = "home"
	projectWord = "project"
)

// expand replaces the directories in braces.
func (s *scan) expand(path string) string {
	slashes := func(path string) string {
		path = strings.TrimRight(path, "/")
		if s.OS == "windows" {
			path = strings.TrimRight(strings.ReplaceAll(path, `\`, "/"), "/")
		}
		return path
	}
	values := map[string]string{homeWord: slashes(s.Home), projectWord: slashes(s.Project)}
	fill := func(text string) string {
		filled, _ := template.Fill(text, func(name string) (string, bool) { v, ok := values[name]; return v, ok })
		return filled
	}
	for _, f := range s.profile.directories {
		values[f.Name] = slashes(cmp.Or(lookup(s.Environ, f.Env), fill(f.Else)))
	}
	return fill(path)
}
