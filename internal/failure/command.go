package failure

import (
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/settings"
)

// LoginAgain is the command that asks for everything anew: a refresh cannot widen
// a grant (RFC 6749 §6). p is nil where none is open.
func LoginAgain(p *ambit.Session) string { return Command("ambit login", p) }

// Command is a command with the flags that lead it to the same manifest, server and
// programs.
func Command(command string, s *ambit.Session) string {
	return Invocation(s).Command(strings.TrimPrefix(command, "ambit "))
}

// Invocation is what leads a command to a session, whatever variables lead it elsewhere; s is nil
// where none is open.
func Invocation(s *ambit.Session) advice.Invocation {
	if s == nil {
		return advice.Invocation{}
	}
	i := ForManifest(s.Manifest().File)
	if settings.Environment(s.Environ()).Get(manifestVariable) != "" {
		i.Manifest = s.Manifest().File
	}
	if server := s.Server(); s.Named() || s.Chosen() && server.Name != s.Manifest().Server {
		i.Server = server.Name
	}
	i.Account, i.Programs = s.Account(), s.Programs()
	return i
}

// manifestVariable is the one that names the manifest for every command.
const manifestVariable = "AMBIT_MANIFEST"

// ForManifest leads a command to a manifest which it would not find by itself.
func ForManifest(path string) advice.Invocation {
	if path == ambit.ManifestName {
		return advice.Invocation{}
	}
	return advice.Invocation{Manifest: path}
}
