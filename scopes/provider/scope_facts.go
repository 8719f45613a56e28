package provider

import (
	"strings"

	"github.com/ambit-auth/ambit/scopes"
)

// ScopeFacts are what a file says of the service's scopes. The zero value is a service that does as RFC
// 6749 has it, and whose list of scopes is all there is.
type ScopeFacts struct {
	Partial   bool         // listed: partial. The server's list leaves scopes out
	Except    scopes.Forms // in the list, and not granted to ordinary people
	Special   scopes.Forms // for some callers, or some things, alone: no substitute for another
	Table     []KnownScope // scopes that exist, in the file's order
	Separator Separator
	Names     scopes.Names
	Added     scopes.Set // the server grants these beside what is requested
	Silent    scopes.Set // never named in a response: held where they were requested
	Union     bool       // a response also names what was granted earlier
	NoRequest bool       // request: none, or a list. The client's scopes are set at the server
	Instead   scopes.Set // what a request names then in place of what is declared; empty: none
	Set       ClientScopes
	Resources map[string]ResourceScopes // what the lists of bases are good for (RFC 9728 §2), by their names
}

// ResourceScopes is what a resource's own list of scopes is good for; the zero value: it is all there is.
type ResourceScopes struct {
	Partial bool         // listed: partial. The list leaves scopes out
	Except  scopes.Forms // in the list, and not granted to ordinary people
}

// ClientScopes are those that are set at the server for this client; none: nobody says which.
type ClientScopes struct {
	Required scopes.Set // a person grants these, or nothing
	Optional scopes.Set // a person may leave these out
}

// An EvidenceForm is a place of its own in which descriptions name the scopes that an operation, or
// a tool, needs. A word, a list of words, and an object whose keys are words may stand there. [] in
// the path makes alternatives of a list: each element is one, and one without scopes needs none.
type EvidenceForm struct {
	On       Described
	At       Path // its first step is a member of the operation, or of the tool
	AnyOf    bool // any one of the words is enough; else all are needed
	Fallback bool // counts only where an operation's security names no scope
}

// Described is what a description describes.
type Described string

// What has scopes.
const (
	DescribedOperation Described = "operation"
	DescribedTool      Described = "tool"
)

// A KnownScope is one that exists at a service.
type KnownScope struct {
	Scope string
	About string // what it allows, for people; "" where the file does not say
}

// A Separator is what stands between scopes; "" is a blank (RFC 6749 §3.3).
type Separator struct{ Request, Response string }

// Advertised is what a server says of its scopes, in the light of these facts.
func (f *ScopeFacts) Advertised(said scopes.Advertisement) scopes.Advertisement {
	said.Partial, said.Except = f.Partial, f.Except
	names := make([]string, len(f.Table))
	for i, one := range f.Table {
		names[i] = one.Scope
	}
	said.Known = scopes.NewSet(names...)
	said.Set, said.Optional = f.Set.Required.Union(f.Set.Optional), f.Set.Optional
	return said
}

// OfResource is what the resource at a base says of its scopes, in the light of these facts.
func (f *ScopeFacts) OfResource(base string, said scopes.Advertisement) scopes.Advertisement {
	said.Partial, said.Except = f.Resources[base].Partial, f.Resources[base].Except
	return said
}

// About is what a scope allows, in the words of the table; "" where that does not say.
func (f *ScopeFacts) About(scope string) string {
	for _, one := range f.Table {
		if one.Scope == scope {
			return one.About
		}
	}
	return ""
}

// Parameter is the value of scope in a request.
func (f *ScopeFacts) Parameter(requested scopes.Set) string {
	if f.NoRequest {
		requested = f.Instead
	}
	if f.Separator.Request == "" {
		return requested.String()
	}
	return strings.Join(requested.Slice(), f.Separator.Request)
}

// Granted is what a response grants that lists these texts, after a request for asked.
func (f *ScopeFacts) Granted(texts []string, asked scopes.Set) scopes.Set {
	named := asked
	if f.NoRequest {
		named = f.Instead
	}
	if separator := f.Separator.Response; separator != "" {
		var parts []string
		for _, text := range texts {
			parts = append(parts, strings.Split(text, separator)...)
		}
		return scopes.ListOf(parts, asked).Union(f.Silent.Where(named.Has))
	}
	return scopes.ListOf(texts, asked).Union(f.Silent.Where(named.Has))
}

// Unsaid are the scopes of which nobody knows whether they are held, where a response lists what is
// granted, and nobody knows what was requested.
func (f *ScopeFacts) Unsaid(granted, asked scopes.Set) scopes.Set {
	if asked.Len() > 0 {
		return scopes.Set{}
	}
	return f.Silent.Minus(granted)
}

// Beyond are those of the scopes beyond what was declared that somebody asked for: neither added
// by the server, nor left from earlier, nor what a request names in place of others.
func (f *ScopeFacts) Beyond(excess scopes.Set) scopes.Set {
	if f.Union {
		return scopes.Set{}
	}
	return excess.Minus(f.Added).Minus(f.Instead)
}
