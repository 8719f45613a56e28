package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// withProvider replaces the value of the top-level key provider by a path. The rest of
// the text stays as it is, byte for byte. Without that key, one is put before the
// first.
func withProvider(manifest []byte, path string) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(manifest, &document); err != nil {
		return nil, err
	}
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode || len(document.Content[0].Content) == 0 {
		return nil, errors.New("not a mapping")
	}
	pairs := document.Content[0].Content
	word := scalar(path)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i].Value != "provider" {
			continue
		}
		from, to := span(manifest, pairs, i)
		if from < 0 {
			return nil, fmt.Errorf("line %d: the provider stands where it cannot be replaced", pairs[i].Line)
		}
		if manifest[from-1] == ':' {
			word = " " + word
		}
		return checked(bytes.Join([][]byte{manifest[:from], []byte(word), manifest[to:]}, nil), path)
	}
	at := offset(manifest, pairs[0].Line, 1)
	return checked(bytes.Join([][]byte{manifest[:at], []byte("provider: " + word + "\n"), manifest[at:]}, nil), path)
}

// checked makes sure that the edit did what it was to do: YAML has more ways to write
// a value than are taken apart here.
func checked(text []byte, path string) ([]byte, error) {
	var m struct{ Provider string }
	if err := yaml.Unmarshal(text, &m); err != nil || m.Provider != path {
		return nil, errors.New("the provider is written in a way that cannot be replaced; write it on one line")
	}
	return text, nil
}

// scalar writes a path as YAML: plain where nothing in it could mean anything.
func scalar(path string) string {
	for _, c := range path {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("/._-", c)) {
			return strconv.Quote(path) // the escapes of Go are among those of YAML 1.2 §5.7
		}
	}
	return path
}

// span is where the value of the pair i begins and ends; a from of -1 means that this
// cannot be told.
func span(text []byte, pairs []*yaml.Node, i int) (from, to int) {
	key, value := pairs[i], pairs[i+1]
	from, to = offset(text, value.Line, value.Column), len(text)
	if i+2 < len(pairs) {
		to = offset(text, pairs[i+2].Line, 1)
	}
	if from < 0 || to < from {
		return -1, 0
	}
	switch {
	case value.Kind == yaml.MappingNode && value.Style&yaml.FlowStyle != 0:
		return from, from + bytes.LastIndexByte(withoutComments(text[from:to]), '}') + 1
	case value.Kind == yaml.ScalarNode && value.Line == key.Line:
		return from, from + scalarLength(text[from:to], value)
	case value.Kind != yaml.MappingNode:
		return -1, 0
	}
	// A block: from after the colon to the end of its last line.
	from = offset(text, key.Line, key.Column)
	from += bytes.IndexByte(text[from:], ':') + 1
	body := bytes.TrimRight(withoutComments(text[from:to]), " \t\r\n")
	return from, from + len(body)
}

// scalarLength is how far a scalar of one line reaches.
func scalarLength(text []byte, value *yaml.Node) int {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	if value.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		return bytes.LastIndexByte(withoutComments(line), line[0]) + 1
	}
	return len(bytes.TrimRight(withoutComments(line), " \t\r"))
}

// withoutComments blanks the comments out, their length kept.
func withoutComments(text []byte) []byte {
	blank := bytes.Clone(text)
	inside := false
	for i, c := range text {
		switch {
		case c == '\n':
			inside = false
		case c == '#' && (i == 0 || strings.ContainsRune(" \t\n", rune(text[i-1]))):
			inside = true
		}
		if inside {
			blank[i] = ' '
		}
	}
	return blank
}

// offset is where a line and column of a [yaml.Node] stand; columns count characters.
func offset(text []byte, line, column int) int {
	at := 0
	for range line - 1 {
		next := bytes.IndexByte(text[at:], '\n')
		if next < 0 {
			return -1
		}
		at += next + 1
	}
	for range column - 1 {
		for at++; at < len(text) && text[at]&0xC0 == 0x80; at++ { // the rest of a UTF-8 character
		}
	}
	return min(at, len(text))
}
