package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

const (
	manifestName = "scopes.yaml"
	providerName = "provider.yaml"
)

// files are what the sandbox wrote and has to take away.
type files struct {
	written   []string
	directory string // a temporary one; "" where the caller gave one
}

// writeFiles writes the provider file, and the manifest that names it.
func (s *Sandbox) writeFiles(o Options) error {
	directory := o.Dir
	if directory == "" {
		made, err := os.MkdirTemp("", "sandbox-")
		if err != nil {
			return err
		}
		directory, s.files.directory = made, made
	}
	directory, err := filepath.Abs(directory)
	if err != nil {
		return err
	}
	text, err := s.providerFile()
	if err != nil {
		return err
	}
	s.ready.Provider = filepath.Join(directory, providerName)
	if err := s.files.write(s.ready.Provider, text); err != nil || o.Manifest == nil {
		return err
	}
	if text, err = withProvider(o.Manifest, s.ready.Provider); err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	s.ready.Manifest = filepath.Join(directory, manifestName)
	return s.files.write(s.ready.Manifest, text)
}

// write makes a file that was not there.
func (f *files) write(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	f.written = append(f.written, path)
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}

func (f *files) remove() error {
	var all []error
	for _, path := range f.written {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = append(all, err)
		}
	}
	if f.directory != "" {
		all = append(all, os.RemoveAll(f.directory))
	}
	f.written, f.directory = nil, ""
	return errors.Join(all...)
}

// providerFile lays this sandbox's hosts, clients and redirect ports over the
// built-in provider.
func (s *Sandbox) providerFile() ([]byte, error) {
	type redirect struct {
		Host  string `yaml:"host"`
		Path  string `yaml:"path"`
		Ports []int  `yaml:"ports,flow"`
	}
	type client struct {
		ID        yaml.Node         `yaml:"id"`
		Redirect  redirect          `yaml:"redirect"`
		Authorize map[string]string `yaml:"authorize,omitempty"`
	}
	cloud, at := s.shape.Cloud, s.shape.Redirect
	servers, ids := yaml.Node{Kind: yaml.MappingNode}, yaml.Node{Kind: yaml.MappingNode}
	app := s.shape.Applications[s.shape.Application]
	for _, name := range append([]string{cloud}, s.shape.Regions...) {
		addPair(&ids, name, app.IDs[name])
		bases := yaml.Node{Kind: yaml.MappingNode}
		if name == cloud {
			addPair(&bases, "issuer", s.ready.Issuer)
		} else {
			r := s.ready.Regions[name]
			for _, base := range [][2]string{{"issuer", r.Issuer}, {"api", r.API}, {"gateway", r.Gateway}, {"mcp", r.MCP}} {
				addPair(&bases, base[0], base[1])
			}
			bases.Content = append(bases.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "ask_on_401"}, &yaml.Node{Kind: yaml.ScalarNode, Value: "true"})
		}
		servers.Content = append(servers.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, &bases)
	}
	var text bytes.Buffer
	text.WriteString("# Written by the sandbox; it goes when the sandbox ends.\n")
	e := yaml.NewEncoder(&text)
	e.SetIndent(2)
	err := e.Encode(struct {
		Use           string    `yaml:"use"`
		Servers       yaml.Node `yaml:"servers"`
		DefaultServer string    `yaml:"default_server"`
		Client        client    `yaml:"client"`
	}{s.shape.Provider, servers, cloud, client{ids, redirect{at.Host, at.Path, s.ports}, s.shape.Authorize}})
	return text.Bytes(), errors.Join(err, e.Close())
}

func addPair(mapping *yaml.Node, key, value string) {
	mapping.Content = append(mapping.Content,
		&yaml.Node{Kind: yaml.ScalarNode, Value: key}, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value})
}

// redirectURIs are what every application has registered, compared byte by byte
// (RFC 6749 §3.1.2.3).
func (s *Sandbox) redirectURIs() []string {
	var uris []string
	for _, port := range s.ports {
		uris = append(uris, fmt.Sprintf("http://%s:%d%s", s.shape.Redirect.Host, port, s.shape.Redirect.Path))
	}
	return uris
}
