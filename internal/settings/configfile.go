package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
)

// A configFile is the user's config.yaml, and koanf's parser for it.
type configFile struct {
	*loading
	path string
}

// read is what stands in the file. One that does not exist is not a mistake.
func (c configFile) read() []byte {
	if _, err := files.Check(c.path, files.Rule{Forbidden: files.OthersWrite, Links: true, Obeyed: true}); err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.wrong("%v", err) // it can name hosts to trust, and a command to run
		return nil
	}
	source, err := yamlfile.Read(c.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.wrong("%v", err)
	}
	return source
}

// Unmarshal gives what is right in the file, and notes each mistake with its place.
func (c configFile) Unmarshal(source []byte) (map[string]any, error) {
	reader, settings := &yamlfile.Reader{File: c.path}, make(map[string]any)
	if root := reader.Document(source); root != nil {
		var members []yamlfile.Member
		for _, key := range slices.Sorted(maps.Keys(c.kinds)) {
			if key != "json" { // that is short for an output, on a command line
				members = append(members, yamlfile.Optional(key, func(n *yaml.Node) { settings[key] = c.setting(reader, key, n) }))
			}
		}
		reader.Mapping(root, "the file", members)
	}
	for _, m := range reader.Told() {
		if m.Kind != yamlfile.BadSize || len(source) > yamlfile.MaxFileSize { // a file of comments is as good as none
			c.mistakes = append(c.mistakes, m.Error())
		}
	}
	return settings, nil
}

// Marshal is there for koanf; nothing here writes the file.
func (configFile) Marshal(map[string]any) ([]byte, error) { return nil, errors.ErrUnsupported }

// setting reads the value of a key by its kind. A word that is left out sets nothing.
func (c configFile) setting(r *yamlfile.Reader, key string, n *yaml.Node) any {
	if n.ShortTag() == "!!null" && c.kinds[key] != boolKind {
		return nil
	}
	c.origins[key] = origin{fileLayer, fmt.Sprintf("%s:%d: %s", text.Line(c.path), n.Line, key)}
	switch {
	case c.kinds[key] == boolKind:
		return r.Boolean(n, key)
	case c.kinds[key] == listKind && n.Kind == yaml.SequenceNode:
		list := []string{}
		r.List(n, key, func(item *yaml.Node) { list = append(list, r.Text(item, key)) })
		return list
	case c.kinds[key] == listKind:
		return []string{r.Text(n, key)}
	case !takes(key, n.Value):
		return r.Word(n, key, Words(key))
	}
	return r.Text(n, key)
}
