package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/ambit-auth/ambit/scopes/audit"
)

// The limits of one document that leads to others. In size, all of them together may have
// what one may.
const (
	maxFetches = 50
	maxFiles   = 5000 // some documents have one for each operation
)

// A documentSet holds the documents that describe one API, each once: the first, and those
// that others refer to.
type documentSet struct {
	OpenAPI
	file      string               // the first
	root      *url.URL             // of the first; nil for a file
	documents map[string]*document // by path or URL
	fetched   int
	files     int
	size      int    // of all, in bytes
	merged    int    // members that merge keys brought in
	partSize  int    // of YAML, see splitYAML
	failed    *Error // the first failure: nothing counts then
}

// A document is one of a set.
type document struct {
	set     *documentSet
	name    string   // as people see it
	url     *url.URL // nil for a file
	path    string   // of a file: below the directory of the first, with slashes
	root    *node
	problem string // why it cannot be had; "" where it can
}

// first is the document with which the set begins.
func (s *documentSet) first(size int) *document {
	d := &document{set: s, name: s.file, path: filepath.Base(s.file)}
	address := d.path
	if u, err := url.Parse(s.file); err == nil && strings.Contains(s.file, "://") {
		d.url, s.root, address = u, u, u.String()
	}
	s.documents = map[string]*document{address: d}
	s.size = size
	return d
}

var errNotJSON = errors.New("not JSON")

// parse reads a text as JSON or YAML. The first document is JSON if it begins like JSON;
// another one may then still be YAML.
func (d *document) parse(text []byte, first bool) (err error) {
	if isJSON(text) {
		switch {
		case json.Valid(text) && utf8.Valid(text):
			start := bytes.IndexAny(text, "{[")
			d.root = d.jsonNode(bytes.TrimSpace(text), 1+bytes.Count(text[:start], []byte("\n")))
			return nil
		case first:
			return errNotJSON
		}
	}
	if len(text) > largeYAML*d.set.partSize && !hasOtherBreaks(text) {
		if d.root = d.splitYAML(text, 0, 0); d.root != nil {
			return nil
		}
	}
	if len(text) > maxWhole {
		d.set.fail(&Error{Where: audit.Where{File: d.name}, Kind: TooLarge, Reason: fmt.Sprintf("as YAML it cannot be read in parts, and is larger than %d MiB; JSON may be larger", maxWhole>>20)})
		return errGiveUp
	}
	d.root, err = d.yamlNode(text)
	return err
}

// Why a reference is not followed that nobody allowed.
const (
	notRead    = "is in another document, which is not read"
	notFetched = "is elsewhere, and only fetched with --allow-remote-refs"
)

// refer finds the document that an address names, as seen from d (RFC 3986 §5). Its
// problem says why it cannot be had.
func (d *document) refer(address string) *document {
	u, err := url.Parse(address)
	if err != nil {
		return &document{problem: "is not a valid address"}
	}
	if d.url != nil {
		u = d.url.ResolveReference(u)
	}
	if u.IsAbs() {
		switch {
		case u.Scheme != "https" && u.Scheme != "http":
			return &document{problem: notRead}
		case d.set.Fetch == nil:
			return &document{problem: notFetched}
		}
		return d.set.load(u.String(), &document{url: u, name: (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()})
	}
	if d.set.Open == nil {
		return &document{problem: notRead}
	}
	below := path.Join(path.Dir(d.path), u.Path)
	if u.Host != "" || path.IsAbs(u.Path) || !filepath.IsLocal(filepath.FromSlash(below)) {
		return &document{problem: "is outside the document's directory, and is not read"}
	}
	return d.set.load(below, &document{path: below, name: filepath.Join(filepath.Dir(d.set.file), filepath.FromSlash(below))})
}

// load takes a document from the set, or reads it.
func (s *documentSet) load(address string, d *document) *document {
	if known := s.documents[address]; known != nil {
		return known
	}
	s.documents[address] = d
	d.set = s
	text, err := s.text(d)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.problem = "is not there"
	case err != nil:
		d.problem = "cannot be read: " + err.Error()
	default:
		if err := d.parse(text, false); err != nil || d.root.kind != objectNode {
			d.problem = "is not an object in YAML or JSON"
		}
	}
	return d
}

// errGiveUp stands for the set's failure.
var errGiveUp = errors.New("given up")

// text gets a document. What is too much, or cannot be fetched, is a failure of the set:
// another day the same document would say something else.
func (s *documentSet) text(d *document) (text []byte, err error) {
	switch {
	case s.failed != nil:
		return nil, errGiveUp
	case d.url != nil:
		if !s.spend(&s.fetched, maxFetches, "it leads to more than %d documents elsewhere") {
			return nil, errGiveUp
		}
		if text, err = s.Fetch(d.url.String()); err != nil {
			s.fail(&Error{Where: audit.Where{File: s.file}, Kind: Syntax, Reason: "it refers to " + d.name + ", which cannot be read: " + err.Error(), Err: err})
			return nil, errGiveUp
		}
	default:
		if !s.spend(&s.files, maxFiles, "it leads to more than %d files") {
			return nil, errGiveUp
		}
		if text, err = s.Open(d.path); err != nil {
			return nil, err
		}
	}
	if s.size += len(text); s.size > MaxOpenAPI {
		s.fail(&Error{Where: audit.Where{File: s.file}, Kind: TooLarge, Reason: fmt.Sprintf("with everything that it refers to, it is larger than %d MiB", MaxOpenAPI>>20)})
		return nil, errGiveUp
	}
	return text, nil
}

func (s *documentSet) fail(err *Error) {
	if s.failed == nil {
		s.failed = err
	}
}

// spend counts one of what is bounded, and reports whether the set may be read on.
func (s *documentSet) spend(count *int, limit int, reason string) bool {
	if *count++; *count > limit {
		s.fail(&Error{Where: audit.Where{File: s.file}, Kind: TooLarge, Reason: fmt.Sprintf(reason, limit)})
	}
	return s.failed == nil
}
