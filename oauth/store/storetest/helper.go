package storetest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/gofrs/flock"
)

// HelperDir is the variable that names the directory of [Helper].
const HelperDir = "STORE_FILES_DIR"

// helperVariable makes a process of the test's program a [Helper].
const helperVariable = "AMBIT_STORETEST_HELPER"

// HelperKind is the kind of [Helper], as the test's own program, whose TestMain has to call [Main].
func HelperKind() Kind {
	return Kind{
		Name:  "exec",
		Place: func(t testing.TB) string { return filepath.Join(t.TempDir(), "kept") },
		Open: func(place string) store.Store {
			return &store.Exec{Command: "'" + os.Args[0] + "'", LeaseTime: 5 * time.Second, Env: func() []string {
				return append(os.Environ(), helperVariable+"=1", HelperDir+"="+place)
			}}
		},
	}
}

// Helper is the program of an external store that keeps files in the directory of [HelperDir]: the
// protocol in Go, for tests and to read. args are those of the process; it returns the exit code.
func Helper(args []string, in io.Reader, out io.Writer) int {
	raw, err := io.ReadAll(in)
	var q request
	if err == nil {
		err = json.Unmarshal(raw, &q)
	}
	if err != nil || len(args) < 2 || q.V != 1 {
		fmt.Fprintln(os.Stderr, "usage: ambit-store-files OPERATION, with a request of version 1 on standard input")
		return 2
	}
	reply := helper{os.Getenv(HelperDir)}.answer(args[len(args)-1], q)
	reply.V, reply.OK = 1, reply.Error == nil
	if json.NewEncoder(out).Encode(reply) != nil {
		return 1
	}
	return 0
}

type request struct {
	V       int             `json:"v"`
	Key     map[string]any  `json:"key"`
	Record  json.RawMessage `json:"record"`
	Version string          `json:"version"`
	Fence   int64           `json:"fence"`
	Owner   string          `json:"owner"`
	TTL     int64           `json:"ttl_ms"`
	Size    int             `json:"size"`
}

type reply struct {
	V       int              `json:"v"`
	OK      bool             `json:"ok,omitempty"`
	Record  json.RawMessage  `json:"record,omitempty"`
	Version string           `json:"version,omitempty"`
	Fence   int64            `json:"fence,omitempty"`
	Keys    []map[string]any `json:"keys,omitempty"`
	Error   *trouble         `json:"error,omitempty"`
}

type trouble struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func refuse(code, format string, args ...any) reply {
	return reply{Error: &trouble{code, fmt.Sprintf(format, args...)}}
}

// A kept record stands in a file, with its key for list.
type kept struct {
	Key    map[string]any  `json:"key"`
	Record json.RawMessage `json:"record"`
}

// A lease stays in its file when it is over: its number goes on from there.
type lease struct {
	Owner string    `json:"owner"`
	Fence int64     `json:"fence"`
	Until time.Time `json:"until"`
}

type helper struct{ dir string }

// answer does what is asked for while no other process does. The id of a key is 32 hexadecimal
// digits; this program trusts nobody with its file names.
func (h helper) answer(operation string, q request) reply {
	if operation == "list" {
		return h.list()
	}
	id, _ := q.Key["id"].(string)
	if ok, _ := regexp.MatchString("^[0-9a-f]{32}$", id); !ok {
		return refuse("invalid", "the key has no id")
	}
	if err := files.MakeDir(h.dir); err != nil {
		return refuse("unavailable", "%v", err)
	}
	path := filepath.Join(h.dir, id)
	lock := flock.New(path + ".lock")
	if err := lock.Lock(); err != nil {
		return refuse("unavailable", "%v", err)
	}
	defer lock.Close()
	switch operation {
	case "get":
		return h.get(path)
	case "put":
		return h.put(path, q)
	case "swap":
		return h.swap(path, q)
	case "delete":
		return done(os.Remove(path + ".json"))
	case "probe":
		return done(files.Probe(h.dir, id+"-*.tmp", q.Size))
	case "lease", "renew-lease", "release":
		return h.lease(path, operation, q)
	}
	return refuse("unsupported", "no operation %q", operation)
}

func done(err error) reply {
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return refuse("unavailable", "%v", err)
	}
	return reply{}
}

func (h helper) get(path string) reply {
	data, err := os.ReadFile(path + ".json")
	if errors.Is(err, fs.ErrNotExist) {
		return refuse("not_found", "nothing is kept under that key")
	}
	var k kept
	if err == nil {
		err = json.Unmarshal(data, &k)
	}
	if err != nil {
		return refuse("unavailable", "the file cannot be read")
	}
	sum := sha256.Sum256(data)
	return reply{Record: k.Record, Version: hex.EncodeToString(sum[:])}
}

func (h helper) put(path string, q request) reply {
	data, err := json.Marshal(kept{q.Key, q.Record})
	if err == nil {
		err = files.Write(path+".json", filepath.Base(path)+"-*.tmp", data)
	}
	return done(err)
}

func (h helper) swap(path string, q request) reply {
	if q.Fence != 0 && q.Fence < readLease(path).Fence {
		return refuse("fenced", "a later lease was granted")
	}
	now := h.get(path)
	if now.Error != nil {
		return now
	}
	if now.Version != q.Version {
		return refuse("changed", "another record is kept by now")
	}
	return h.put(path, q)
}

func (h helper) lease(path, operation string, q request) reply {
	l, now := readLease(path), time.Now()
	mine := l.Owner == q.Owner && l.Fence == q.Fence
	switch {
	case operation == "lease" && l.Owner != q.Owner && now.Before(l.Until):
		return refuse("held", "somebody else has it")
	case operation == "lease":
		l = lease{q.Owner, l.Fence + 1, now.Add(time.Duration(q.TTL) * time.Millisecond)}
	case !mine:
		return refuse("fenced", "a later lease was granted")
	case operation == "release":
		l.Until = time.Time{}
	default:
		l.Until = now.Add(time.Duration(q.TTL) * time.Millisecond)
	}
	data, err := json.Marshal(l)
	if err == nil {
		err = files.Write(path+".lease", filepath.Base(path)+"-*.tmp", data)
	}
	if err != nil {
		return done(err)
	}
	return reply{Fence: l.Fence}
}

func readLease(path string) (l lease) {
	if data, err := os.ReadFile(path + ".lease"); err == nil {
		_ = json.Unmarshal(data, &l)
	}
	return l
}

func (h helper) list() reply {
	paths, err := filepath.Glob(filepath.Join(h.dir, "*.json"))
	keys := []map[string]any{}
	for _, path := range paths {
		var k kept
		data, readErr := os.ReadFile(path)
		if readErr == nil && json.Unmarshal(data, &k) == nil && strings.HasPrefix(filepath.Base(path), fmt.Sprint(k.Key["id"])) {
			keys = append(keys, k.Key)
		}
	}
	return reply{Keys: keys, Error: done(err).Error}
}
