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
	URLs   []string // dotted paths of their URLs, * for any text and {project} for the working directory
	Advice string   // how a server of that file is reached through ambit run
}

// maxMCPFile bounds such a file, in bytes: some programs keep much else in it.
const maxMCPFile = 8 << 20

// mcpServers looks for MCP servers that are the provider's own, by their real address: what goes
// there goes past ambit run. A file that cannot be read is the program's to tell.
func (s *scan) mcpServers() {
	if len(s.Hosts) == 0 {
		return
	}
	for _, f := range s.profile.mcpFiles {
		path := s.expand(f.Path)
		content, err := s.Files.ReadFile(path, maxMCPFile)
		if err != nil {
			continue
		}
		document, _ := parseSettings(f.Format, content)
		c := Conflict{Path: path, Source: f.Source, Effect: EffectBypasses, Advice: f.Advice}
		for name, value := range leaves("", document, maxDepth) {
			if address, ok := value.(string); ok && s.isURL(f, name) && slices.Contains(s.Hosts, provider.HostOf(address)) {
				c.Keys = append(c.Keys, text.Line(name))
			}
		}
		if len(c.Keys) > 0 {
			s.found = append(s.found, c)
		}
	}
}

// isURL reports whether a key of the file is the URL of a server.
func (s *scan) isURL(f mcpFile, name string) bool {
	return slices.ContainsFunc(f.URLs, func(pattern string) bool {
		return glob(strings.ReplaceAll(pattern, "{"+projectWord+"}", strings.TrimRight(s.Project, "/")), name)
	})
}
