package metadata

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
)

const (
	entryVersion = 1
	// maxEntry is a document and what stands around it.
	maxEntry = guard.MaxDocument + 16<<10
	// maxETag is no limit of a standard; an entity tag is a digest or a date.
	maxETag = 256
)

// entry is the content of a cache file. Anyone may have written it, so it is
// believed no more than a response is: see usable.
type entry struct {
	Version  int             `json:"version"`
	Kind     string          `json:"kind"`  // what was looked up, and
	Subject  string          `json:"asked"` // whose: a file under a wrong name is foreign
	URL      string          `json:"url"`   // where the document was
	ETag     string          `json:"etag,omitempty"`
	Fetched  time.Time       `json:"fetched"` // when the server last vouched for it
	Expires  time.Time       `json:"expires"`
	Document json.RawMessage `json:"document"`
}

// fresh is false for an entry from the future (then the clock was set back, and its
// age is not known) and for one older than maxLifetime, whatever the file says.
func (e *entry) fresh(now time.Time) bool {
	return !now.Before(e.Fetched) && now.Before(e.Expires) && now.Sub(e.Fetched) < maxLifetime
}

func (e *entry) age(now time.Time) time.Duration {
	return max(0, now.Sub(e.Fetched))
}

// usable reports whether the file is for this very lookup, from a URL that would be
// requested now too, or that the subject itself may have named.
func (e *entry) usable(l *lookup) bool {
	if e.Version != entryVersion || e.Kind != l.kind || e.Subject != l.subject {
		return false
	}
	return slices.Contains(l.candidates, e.URL) || l.announced != nil && guard.CheckURL(e.URL) == nil
}

// cacheFile is named after the lookup, so that no URL becomes a path.
func cacheFile(dir string, l *lookup) string {
	sum := sha256.Sum256([]byte(l.kind + "\n" + l.subject))
	return filepath.Join(dir, hex.EncodeToString(sum[:])+".json")
}

// loadEntry returns nil for whatever is not a usable file: a cache is no place to
// report trouble from, the server can be asked.
func loadEntry(dir string, l *lookup) *entry {
	if dir == "" || openToAll(dir) {
		return nil
	}
	raw, err := files.Read(cacheFile(dir, l), files.Rule{Limit: maxEntry})
	if err != nil {
		return nil
	}
	e := new(entry)
	if json.Unmarshal(raw, e) != nil || !e.usable(l) {
		return nil
	}
	if !validETag(e.ETag) {
		e.ETag = ""
	}
	return e
}

// openToAll reports whether anyone on the machine may write to the directory: they could
// lay a document with a token endpoint of theirs there. Windows has no such bits.
func openToAll(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o002 != 0
}

// saveEntry writes a file for this user only, and in one step.
func saveEntry(dir string, l *lookup, e *entry) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, files.PrivateDir); err != nil {
		return err
	}
	if openToAll(dir) {
		return errors.New("everyone may write to it")
	}
	var raw bytes.Buffer
	encoder := json.NewEncoder(&raw)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		return err
	}
	return files.Write(cacheFile(dir, l), ".new-*", raw.Bytes())
}

// dropEntry follows a no-store: what an earlier response left goes too.
func dropEntry(dir string, l *lookup, _ *entry) error {
	if dir == "" {
		return nil
	}
	err := os.Remove(cacheFile(dir, l))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func cacheWarning(dir string, err error) string {
	return fmt.Sprintf("the document cannot be kept in the cache %s: %s", text.Quote(dir), text.Line(files.Pathless(err).Error()))
}

// validETag is RFC 9110 §8.8.3; anything else could not be sent back.
func validETag(tag string) bool {
	opaque := strings.TrimPrefix(tag, "W/")
	if len(opaque) < 2 || len(opaque) > maxETag || opaque[0] != '"' || opaque[len(opaque)-1] != '"' {
		return false
	}
	for _, c := range []byte(opaque[1 : len(opaque)-1]) {
		if c == '"' || c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}
