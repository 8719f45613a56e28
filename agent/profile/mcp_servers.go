package profile

import (
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// An mcpFile is a file in which the program finds MCP servers.
type mcpFile struct {
	Source string   // whose it is, as of settings
	Path   string   // as of settings
	Format string   // json or toml
	URLs   []string // dotted paths of texts, or lists of them, that can have their URLs; * for any text and {project} for the working directory
	Advice string   // how a server of that file is reached through ambit run
}

// maxMCPFile bounds such a file, in bytes: some programs keep much else in it.
const maxMCPFile = 8 << 20

// mcpServers looks for MCP servers that are the provider's own, by their real address: what goes
// there goes past ambit run.
func (s *scan) mcpServers() {
	for _, f := range s.profile.mcpFiles {
		s.mcpFile(f, s.expand(f.Path))
	}
}

// mcpArgument looks into a file that a flag names, or the text of one. It is one as the profile's
// first is.
func (s *scan) mcpArgument(f flag, value string) {
	if len(s.profile.mcpFiles) == 0 || len(s.Hosts) == 0 {
		return
	}
	as := s.profile.mcpFiles[0]
	as.Source, as.Format = SourceArgument, f.Format
	if !strings.HasPrefix(strings.TrimSpace(value), "{") {
		s.mcpFile(as, s.fromProject(value))
		return
	}
	document, problem := parseSettings(as.Format, []byte(value))
	s.noteServers(as, "the argument "+f.Name, document, problem)
}

func (s *scan) mcpFile(f mcpFile, path string) {
	looked := "servers of " + path
	if len(s.Hosts) == 0 || s.seen[looked] {
		return
	}
	s.seen[looked] = true
	document, problem, found := s.read(path, maxMCPFile, f.Format)
	if !found {
		return
	}
	if problem != "" && s.seen[path] { // it has settings as well, and was told
		return
	}
	s.noteServers(f, path, document, problem)
}

// noteServers notes the provider's servers in a document, or that it cannot be read.
func (s *scan) noteServers(f mcpFile, path string, document map[string]any, problem string) {
	if problem != "" {
		s.unread(f.Source, path, problem)
		return
	}
	c := Conflict{Path: path, Source: f.Source, Effect: EffectBypasses, Advice: f.Advice}
	for name, value := range leaves("", document, maxDepth) {
		if s.isURL(f, name) && s.leadsPast(value) {
			c.Keys = append(c.Keys, text.Line(name))
		}
	}
	if len(c.Keys) > 0 {
		s.found = append(s.found, c)
	}
}

// isURL reports whether a key of the file can have the URL of a server.
func (s *scan) isURL(f mcpFile, name string) bool {
	return slices.ContainsFunc(f.URLs, func(pattern string) bool {
		return glob(strings.ReplaceAll(pattern, "{"+projectWord+"}", strings.TrimRight(s.Project, "/")), name)
	})
}

// leadsPast reports whether a text, or one of a list, is an address of the provider, or is one with
// another word before it, as in --url=https://….
func (s *scan) leadsPast(value any) bool {
	switch v := value.(type) {
	case string:
		address := s.withVariables(v)
		if at := strings.Index(address, "http"); at > 0 {
			address = address[at:]
		}
		return slices.Contains(s.Hosts, provider.HostOf(address))
	case []any:
		return slices.ContainsFunc(v, s.leadsPast)
	}
	return false
}

// withVariables puts in what programs put in for ${NAME} and ${NAME:-else}. What ambit run sets leads
// nowhere else.
func (s *scan) withVariables(value string) string {
	before, rest, found := strings.Cut(value, "${")
	inside, after, closed := strings.Cut(rest, "}")
	if !found || !closed {
		return value
	}
	name, instead, _ := strings.Cut(inside, ":-")
	ours := glob(ownVariables, name) || slices.ContainsFunc(s.profile.set, func(v variable) bool { return v.Name == name })
	switch given := lookup(s.Environ, name); {
	case ours:
		instead = ""
	case given != "":
		instead = given
	}
	return before + instead + s.withVariables(after)
}
