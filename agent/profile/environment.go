package profile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/template"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// Terms are what a child is told in place of a credential and of the real servers.
type Terms struct {
	Bases []provider.Base // each base, with the URL at which the child reaches it
	Lease string          // stands for the credential, for one run
}

// leaseWord stands for the lease in a profile; fileWord for the settings file.
const (
	leaseWord = "lease"
	fileWord  = "file"
)

// fill replaces the words in braces. The error is the first that stands for nothing: it names the
// place in a file of the user's own.
func (t Terms) fill(p *Profile, pattern pattern, file string) (string, error) {
	values := map[string]string{leaseWord: t.Lease}
	if file != "" {
		values[fileWord] = file
	}
	for _, b := range t.Bases {
		values[b.Name] = b.URL
	}
	filled, unknown := template.Fill(pattern.text, func(name string) (string, bool) { v, ok := values[name]; return v, ok })
	if unknown != "" {
		who := text.Line(p.Label)
		if p.File != "" {
			who = pattern.place + ": " + who
		}
		return "", fmt.Errorf("%s needs the base %q, which this server does not have", who, unknown)
	}
	return filled, nil
}

// Environment rebuilds environ for the child: what could override or leak a credential
// is left out (the profile's namespaces, every AMBIT_ variable, every key variable of
// the provider, the client's secret), and the terms are put in. What remains keeps its order; the same
// arguments give the same result. The error names a base that the server does not have.
func (p *Profile) Environment(environ []string, provider *provider.Provider, t Terms) ([]string, error) {
	set, err := p.variables(t)
	if err != nil {
		return nil, err
	}
	set = lastOfEach(append(set, noProxy(environ)...))
	dropped := append(slices.Clone(p.drop), ownVariables)
	dropped = append(dropped, provider.Client.SecretVariables()...)
	for _, kind := range provider.Credentials {
		dropped = append(dropped, kind.Env...)
	}
	for _, entry := range set {
		name, _, _ := strings.Cut(entry, "=")
		dropped = append(dropped, name)
	}
	var child []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if !slices.ContainsFunc(dropped, func(pattern string) bool { return glob(pattern, name) }) {
			child = append(child, entry)
		}
	}
	return append(child, set...), nil
}

// lastOfEach leaves one entry of each name: names of bases that differ only in what no shell takes
// give one variable.
func lastOfEach(environ []string) (list []string) {
	for i, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if !slices.ContainsFunc(environ[i+1:], func(later string) bool { return strings.HasPrefix(later, name+"=") }) {
			list = append(list, entry)
		}
	}
	return list
}

// ownVariables are ambit's own settings, which can hold a key.
const ownVariables = "AMBIT_*"

// givenVariables are those that every child gets, whatever its profile sets.
var givenVariables = []string{ownVariables, "NO_PROXY"}

// variables are those of the profile, then what every child finds.
func (p *Profile) variables(t Terms) ([]string, error) {
	var set []string
	for _, v := range p.set {
		value, err := t.fill(p, v.Value, "")
		if err != nil {
			return nil, err
		}
		set = append(set, v.Name+"="+value)
	}
	for _, b := range t.Bases {
		set = append(set, BaseVariable(b.Name)+"="+b.URL)
	}
	return append(set, LeaseVariable+"="+t.Lease), nil
}

// LeaseVariable is the variable in which every child finds the lease.
const LeaseVariable = "AMBIT_LEASE"

// BaseVariable is the one in which it finds the URL of a base, AMBIT_<BASE>_URL; what no
// shell takes in a name becomes _.
func BaseVariable(base string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(base))
	return "AMBIT_" + name + "_URL"
}

// loopbackHosts are to be reached without a company's proxy, which would see the lease.
const loopbackHosts = "127.0.0.1,localhost"

// noProxy appends this machine to both spellings. One that is not there takes over the
// other's value: a program that prefers it would else lose what the user has excepted.
func noProxy(environ []string) []string {
	upper, lower := lookup(environ, "NO_PROXY"), lookup(environ, "no_proxy")
	if upper == "" {
		upper = lower
	}
	if lower == "" {
		lower = upper
	}
	return []string{"NO_PROXY=" + withLoopback(upper), "no_proxy=" + withLoopback(lower)}
}

func withLoopback(value string) string {
	switch strings.TrimSpace(value) {
	case "":
		return loopbackHosts
	case "*": // every host; some programs know the star only if it stands alone
		return value
	}
	return strings.TrimRight(value, ", ") + "," + loopbackHosts
}

// lookup finds a variable, the last of that name; "" where it is not there.
func lookup(environ []string, name string) string {
	for _, entry := range slices.Backward(environ) {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}
