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
	"strings"
	"time"

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
	Kind     string          `json:"kind"`  // what was asked for, and
	Asked    string          `json:"asked"` // whose: a file under a wrong name is foreign
	URL      string          `json:"url"`   // the place that held the document
	ETag     string          `json:"etag,omitempty"`
	Fetched  time.Time       `json:"fetched"` // when the server last vouched for it
	Expires  time.Time       `json:"expires"`
	Document json.RawMessage `json:"document"`
}

// fresh is false for an entry from the future (then the clock was set back, and its
// age is not known) and for one older than maxLife, whatever the file says.
func (e *entry) fresh(now time.Time) bool {
	return !now.Before(e.Fetched) && now.Before(e.Expires) && now.Sub(e.Fetched) < maxLife
}

func (e *entry) age(now time.Time) time.Duration {
	return max(0, now.Sub(e.Fetched))
}

// usable reports whether the file answers this very question, from a place that would
// be asked now too.
func (e *entry) usable(q *question) bool {
	if e.Version != entryVersion || e.Kind != q.kind || e.Asked != q.asked {
		return false
	}
	for _, place := range q.places {
		if e.URL == place {
			return true
		}
	}
	return false
}

// cacheFile is named after the question, so that no URL becomes a path.
func cacheFile(dir string, q *question) string {
	sum := sha256.Sum256([]byte(q.kind + "\n" + q.asked))
	return filepath.Join(dir, hex.EncodeToString(sum[:])+".json")
}

// loadEntry returns nil for whatever is not a usable file: a cache is no place to
// report trouble from, the server can be asked.
func loadEntry(dir string, q *question) *entry {
	if dir == "" || openToAll(dir) {
		return nil
	}
	raw, err := readRegular(cacheFile(dir, q), maxEntry)
	if err != nil {
		return nil
	}
	e := new(entry)
	if json.Unmarshal(raw, e) != nil || !e.usable(q) {
		return nil
	}
	if !validETag(e.ETag) {
		e.ETag = ""
	}
	return e
}

// readRegular does not open what would block or lead elsewhere.
func readRegular(path string, limit int64) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil, fs.ErrNotExist
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return guard.ReadLimited(file, limit)
}

// openToAll reports whether anyone on the machine may write to the folder: they could
// lay a document with a token endpoint of theirs there. Windows has no such bits.
func openToAll(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o002 != 0
}

// saveEntry writes a file for this user only, and in one step: renameio does not
// exist on Windows, and what it adds elsewhere (a sync) a cache can do without.
func saveEntry(dir string, q *question, e *entry) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
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
	return replaceFile(cacheFile(dir, q), raw.Bytes())
}

func replaceFile(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // gone already if all went well
	_, err = file.Write(content)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// dropEntry follows a no-store: what an earlier response left goes too.
func dropEntry(dir string, q *question, _ *entry) error {
	if dir == "" {
		return nil
	}
	err := os.Remove(cacheFile(dir, q))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func cacheWarning(dir string, err error) string {
	return fmt.Sprintf("the document cannot be kept in the cache %s: %s", text.Quote(dir), text.Line(guard.Pathless(err).Error()))
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
