package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/pb33f/go-yaml"
	"github.com/pb33f/libopenapi/datamodel"
)

// The limits of one document that leads to others. In size, all of them together may have
// what one may.
const (
	maxFetches = 50
	maxFiles   = 5000 // some documents have one for each operation
)

// A page is one of the documents that describe an API: the first, or one that another
// refers to.
type page struct {
	name string     // as people see it
	url  *url.URL   // nil for a file
	path string     // of a file: below the folder of the first, with slashes
	top  *yaml.Node // a mapping; nil where it cannot be had
	why  string     // why it cannot; "" where it can
}

// A shelf holds the pages that were asked for, each once.
type shelf struct {
	pages          map[string]*page
	fetched, files int
	size           int // of all, in bytes
}

// begin puts the first page onto the shelf.
func (l *linker) begin(top *yaml.Node, size int) *page {
	first := &page{name: l.file, path: filepath.Base(l.file), top: top}
	key := first.path
	if u, err := url.Parse(l.file); err == nil && strings.Contains(l.file, "://") {
		first.url, key = u, u.String()
	}
	l.shelf = shelf{pages: map[string]*page{key: first}, size: size}
	return first
}

// These are why a reference is not followed that nobody allowed.
const (
	notRead    = "is in another document, which is not read"
	notFetched = "is elsewhere, and only fetched with --allow-remote-refs"
)

// page finds the document that an address names, as seen from another one (RFC 3986 §5);
// why says why there is none.
func (l *linker) page(from *page, address string) (found *page, why string) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, "is no address"
	}
	if from.url != nil {
		u = from.url.ResolveReference(u)
	}
	if u.IsAbs() {
		switch {
		case u.Scheme != "https" && u.Scheme != "http":
			return nil, notRead
		case l.Fetch == nil:
			return nil, notFetched
		}
		return l.have(&page{url: u, name: (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()}, u.String())
	}
	if l.Open == nil {
		return nil, notRead
	}
	below := path.Join(path.Dir(from.path), u.Path)
	if u.Host != "" || path.IsAbs(u.Path) || !filepath.IsLocal(filepath.FromSlash(below)) {
		return nil, "is outside of the document's folder, and is not read"
	}
	return l.have(&page{path: below, name: filepath.Join(filepath.Dir(l.file), filepath.FromSlash(below))}, below)
}

// have takes a page from the shelf, or gets it.
func (l *linker) have(p *page, key string) (found *page, why string) {
	if known := l.shelf.pages[key]; known != nil {
		return known, known.why
	}
	l.shelf.pages[key] = p
	text, err := l.get(p)
	if err != nil {
		p.why = "cannot be read: " + err.Error()
		if errors.Is(err, fs.ErrNotExist) {
			p.why = "is not there"
		}
		return p, p.why
	}
	info, err := datamodel.ExtractSpecInfoWithConfig(text, &datamodel.DocumentConfiguration{BypassDocumentCheck: true, SkipJSONConversion: true})
	if err != nil || len(info.RootNode.Content) == 0 || real(info.RootNode.Content[0]).Kind != yaml.MappingNode {
		p.why = "is no object in YAML or JSON"
		return p, p.why
	}
	p.top = real(info.RootNode.Content[0])
	return p, ""
}

// errGiveUp stands for an error that l.failed tells: nothing of the document counts.
var errGiveUp = errors.New("given up")

// get is a page's text. What is too much, or cannot be fetched, is an error of the whole:
// another day the same document would tell something else.
func (l *linker) get(p *page) ([]byte, error) {
	if l.failed != nil {
		return nil, errGiveUp
	}
	var text []byte
	var err error
	if p.url != nil {
		if l.shelf.fetched++; l.shelf.fetched > maxFetches {
			return nil, l.fail(TooLarge, fmt.Sprintf("it leads to more than %d documents elsewhere", maxFetches), nil)
		}
		if text, err = l.Fetch(p.url.String()); err != nil {
			return nil, l.fail(Syntax, "it refers to "+p.name+", which cannot be had: "+err.Error(), err)
		}
	} else {
		if l.shelf.files++; l.shelf.files > maxFiles {
			return nil, l.fail(TooLarge, fmt.Sprintf("it leads to more than %d files", maxFiles), nil)
		}
		if text, err = l.Open(p.path); err != nil {
			return nil, err
		}
	}
	if l.shelf.size += len(text); l.shelf.size > MaxOpenAPI {
		return nil, l.fail(TooLarge, fmt.Sprintf("with all that it refers to it is larger than %d MiB", MaxOpenAPI>>20), nil)
	}
	return text, nil
}

func (l *linker) fail(kind Kind, reason string, err error) error {
	l.failed = &Error{Where: audit.Where{File: l.file}, Kind: kind, Reason: reason, Err: err}
	return errGiveUp
}
