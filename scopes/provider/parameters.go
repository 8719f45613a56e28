package provider

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/template"
)

// An OpenServer is one that nobody can ask before a parameter of it has a value.
type OpenServer struct {
	Server           // as the file has it, with its {words}
	Parameter string // the first of them without a value
}

// OpenServer is the server of that name, where it is one that nobody can ask yet.
func (p *Provider) OpenServer(name string) (OpenServer, bool) {
	i := slices.IndexFunc(p.open, func(s OpenServer) bool { return s.Name == name })
	if i < 0 {
		return OpenServer{}, false
	}
	return p.open[i], true
}

// Lacking are the parameters without a value that stand in an open server's URLs, each once.
func (p *Provider) Lacking(s OpenServer) (names []string) {
	values := p.values()
	for _, word := range s.words() {
		if values[word] == "" && !slices.Contains(names, word) {
			names = append(names, word)
		}
	}
	return names
}

// Wanted says what an open server lacks, and which line of the manifest gives it that.
func (p *Provider) Wanted(s OpenServer, manifest string) string {
	line := fmt.Sprintf("parameters: {%s: …}", s.Parameter)
	if p.Name != manifest {
		line = fmt.Sprintf("provider: {use: %s, %s}", p.usedBy(manifest), line)
	}
	return fmt.Sprintf("the server %q has no {%s} yet; the manifest gives it: %s", s.Name, s.Parameter, line)
}

// usedBy is the word by which a manifest names the provider: a file as seen from there.
func (p *Provider) usedBy(manifest string) string {
	if path, err := filepath.Rel(filepath.Dir(manifest), p.Name); err == nil && isFile(p.Name) {
		return "./" + filepath.ToSlash(path)
	}
	return p.Name
}

// Elsewhere is the deployment whose issuer is that URL for some values of a server's parameters.
func (p *Provider) Elsewhere(issuer string) (Server, bool) {
	for _, s := range p.written {
		values, fits := template.Search("\x00"+s.Issuer+"\x00", "\x00"+strings.TrimSuffix(issuer, "/")+"\x00")
		if !fits || len(values) == 0 {
			continue
		}
		all := p.values()
		maps.Copy(all, values)
		if own, problems := s.filled(all); len(problems) == 0 && own.Issuer == strings.TrimSuffix(issuer, "/") {
			own.Name = issuer
			return own, true
		}
	}
	return Server{}, false
}

// values are those of the parameters, by their names.
func (p *Provider) values() map[string]string {
	values := make(map[string]string, len(p.Parameters))
	for _, one := range p.Parameters {
		values[one.Name] = one.Value
	}
	return values
}

// words are the parameters that stand in the server's URLs, in their order.
func (s Server) words() []string {
	var words []string
	for _, u := range s.urls() {
		for _, piece := range strings.Split(u, "{")[1:] {
			word, _, _ := strings.Cut(piece, "}")
			words = append(words, word)
		}
	}
	return words
}

// urls are the issuer, the bases and the endpoints.
func (s Server) urls() []string {
	list := []string{s.Issuer}
	for _, b := range s.Bases {
		list = append(list, b.URL)
	}
	return append(list, s.endpoints()...)
}

// filled is the server with values in place of its {words}; the problems are of those that do not fit,
// or that make no URL.
func (s Server) filled(values map[string]string) (own Server, problems []error) {
	fill := func(u, what string, check func(u, what string) error) string {
		full, unfit := fillURL(u, values)
		if len(unfit) == 0 && full != u {
			if err := check(full, what); err != nil {
				unfit = append(unfit, err)
			}
		}
		problems = append(problems, unfit...)
		return full
	}
	own = s
	own.Issuer = fill(s.Issuer, IssuerBase, checkURL)
	own.Bases = slices.Clone(s.Bases)
	for i, b := range s.Bases {
		own.Bases[i].URL = fill(b.URL, "base "+strconv.Quote(b.Name), checkURL)
	}
	own.Metadata = maps.Clone(s.Metadata)
	for _, word := range endpointWords {
		if u, is := s.Metadata[word].(string); is {
			own.Metadata[word] = fill(u, word, checkEndpoint)
		}
	}
	return own, problems
}

// fillURL puts values in place of the {words} of a URL. At the end of the host a value is a host, elsewhere
// in it a label, and behind it one segment of a path: none can make more of the URL than is seen. Each
// problem is an *unfitError.
func fillURL(u string, values map[string]string) (filled string, problems []error) {
	scheme, rest, _ := strings.Cut(u, "://")
	if !strings.Contains(rest, "{") {
		return u, nil
	}
	host := strings.IndexAny(rest+"/", "/?") // as much of rest is the host
	filled = scheme + "://"
	for {
		before, behind, found := strings.Cut(rest, "{")
		filled += before
		if !found {
			return filled, problems
		}
		name, after, _ := strings.Cut(behind, "}")
		host -= len(rest) - len(after)
		value, err := fitting(name, values[name], host, strings.HasPrefix(after, ":"))
		if err != nil {
			problems = append(problems, err)
		}
		filled += value
		rest = after
	}
}

// fitting is the value of a parameter behind which that much of the host stands; what is below zero is
// behind the host.
func fitting(name, value string, host int, port bool) (string, error) {
	switch {
	case host < 0 && !isSegment(value):
		return "", &unfitError{name, value, "is one segment of a path, of letters, digits and -._~ only"}
	case host < 0:
		return value, nil
	case host == 0 && !isHost(value):
		return "", &unfitError{name, value, "is a host, such as git.example.com or git.example.com:8443"}
	case host > 0 && port && (!isHost(value) || strings.Contains(value, ":")):
		return "", &unfitError{name, value, "is a host without a port, such as git.example.com"}
	case host > 0 && !port && !isLabel(value):
		return "", &unfitError{name, value, "is one label of a host, of letters, digits and - only"}
	}
	return strings.ToLower(value), nil
}

// An unfitError says that a value cannot stand where its parameter does.
type unfitError struct{ parameter, value, is string }

func (e *unfitError) Error() string {
	return fmt.Sprintf("the parameter %q %s, not %q", e.parameter, e.is, e.value)
}

// isHost reports whether text is a host, with a port or without, and nothing else.
func isHost(text string) bool {
	u, err := guard.ParseEndpoint("https://" + text)
	odd := func(label string) bool {
		return label == "" || len(label) > maxLabel || strings.Trim(label, "-") != label
	}
	return err == nil && u.Host == text && !slices.ContainsFunc(strings.Split(u.Hostname(), "."), odd)
}

func isLabel(text string) bool { return isHost(text+".example") && !strings.ContainsAny(text, ".:[") }

func isSegment(text string) bool {
	odd := func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-._~", c))
	}
	return text != "" && len(text) <= maxSegment && strings.Trim(text, ".") != "" && !strings.ContainsFunc(text, odd)
}

const (
	maxLabel   = 63  // of a host's name (RFC 1035 §2.3.4)
	maxSegment = 255 // of a path: longer than any tenant's name
)
