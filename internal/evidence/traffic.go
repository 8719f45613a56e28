package evidence

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// Traffic reads recorded calls: ambit's own recordings, a JSON object a line, and HAR
// files (HTTP Archive 1.2) of a browser or a proxy.
type Traffic struct {
	// Provider tells the bases of URLs, the wording of refusals and what begins as a
	// credential; nil: a HAR file tells nothing.
	Provider *provider.Provider
	// Known recognises calls by the paths of documents and manifests, before a path is
	// folded; nil: none.
	Known *scopes.Operations
	// Scopes are words by which a recorded response may name a scope: what is declared.
	Scopes scopes.Set
}

// The limits within a recording.
const (
	maxRecord = 1 << 20 // bytes of a line of our own: ten thousand times a usual one
	// maxObservations bounds how many different calls are told apart. A run of an agent has
	// some hundreds; this many take a hundred megabytes.
	maxObservations = 250_000
)

// Read reads a recording of either form. Calls of the same operation with the same
// outcome are counted together. A path is that of a known operation, else it is folded
// ([scopes.FoldPath]), whoever wrote it down. Calls to other hosts than the provider's are left out; a note says how many.
// The error is an *[Error], which quotes nothing of it.
func (t Traffic) Read(file string, r io.Reader) (audit.Evidence, error) {
	return t.read(file, r, MaxTraffic)
}

func (t Traffic) read(file string, r io.Reader, limit int64) (audit.Evidence, error) {
	c := &trafficReader{Traffic: t, file: file, index: make(map[observed]int)}
	if t.Provider != nil {
		c.places = t.Provider.Locator()
	}
	limited := &limitedReader{r: r, left: limit}
	in := bufio.NewReaderSize(limited, 64<<10)
	err := c.read(in)
	switch {
	case limited.left < 0:
		return audit.Evidence{}, tooLarge(file, limit)
	case err != nil:
		return audit.Evidence{}, err
	}
	c.summary()
	return c.evidence, nil
}

// A trafficReader gathers observations, each kind once.
type trafficReader struct {
	Traffic
	file     string
	places   provider.Locator // of the provider's bases
	evidence audit.Evidence
	index    map[observed]int
	foreign  int // calls to hosts that are not the provider's
	unfit    int // calls whose path or method no manifest could name
}

// observed is what makes two calls the same.
type observed struct {
	use    scopes.Operation
	status int
	scopes string
	named  string
}

func (c *trafficReader) read(in *bufio.Reader) error {
	head, _ := in.Peek(64 << 10)
	if bytes.HasPrefix(head, []byte("\ufeff")) {
		_, _ = in.Discard(3)
		head = head[3:]
	}
	if isHAR(head) {
		return c.har(in)
	}
	if found := formOf(head); found == anOpenAPI || found == someTools {
		return found.mistaken(c.file, "recorded calls")
	}
	return c.records(in)
}

// isHAR tells a HAR file, which has a member log, from lines of our own.
func isHAR(head []byte) bool {
	d := json.NewDecoder(bytes.NewReader(head))
	found := errors.New("found")
	return guard.Members(d, func(key string) error {
		if key == "log" {
			return found
		}
		return guard.Skip(d)
	}) == found
}

// records reads lines. A last line that breaks off is that of a run that was killed: it
// is left out, with a note.
func (c *trafficReader) records(in *bufio.Reader) error {
	for number := 1; ; number++ {
		row, err := readLine(in)
		if err == errLong {
			return &Error{Where: audit.Where{File: c.file, Line: number}, Kind: TooLarge, Reason: "a line is longer than 1 MiB"}
		}
		if err != nil && err != io.EOF {
			return &Error{Where: audit.Where{File: c.file, Line: number}, Kind: Syntax, Reason: "cannot be read: " + err.Error(), Err: err}
		}
		last := err == io.EOF
		if row = bytes.TrimSpace(row); len(row) > 0 {
			if err := c.record(row, number); err != nil {
				if !last || number == 1 {
					return err
				}
				c.note(number, "the last line is incomplete, and is left out")
			}
		}
		if last {
			return nil
		}
	}
}

var errLong = fmt.Errorf("line too long")

// readLine is one line; the slice is good until the next call.
func readLine(in *bufio.Reader) ([]byte, error) {
	row, err := in.ReadSlice('\n')
	if err != bufio.ErrBufferFull {
		return row, err
	}
	long := bytes.Clone(row)
	for err == bufio.ErrBufferFull {
		if len(long) > maxRecord {
			return nil, errLong
		}
		row, err = in.ReadSlice('\n')
		long = append(long, row...)
	}
	return long, err
}

// record reads one line of our own.
func (c *trafficReader) record(row []byte, number int) error {
	var one struct {
		Base, Method, Path, Tool string
		Status                   int
		Scopes, Named            []string
	}
	if err := json.Unmarshal(row, &one); err != nil {
		return syntax(c.file, number, "not a recorded call: an object with base, method, path, status and scopes")
	}
	if one.Method == "" || one.Base == "" || one.Status < 100 || one.Status > 999 {
		return syntax(c.file, number, "not a recorded call: base, method and status are required")
	}
	if one.Tool != "" {
		u, err := scopes.ParseOperation("tool:" + one.Tool)
		if err != nil {
			c.unfit++
			return nil
		}
		return c.count(u, one.Status, words(one.Scopes), words(one.Named), number)
	}
	return c.observe(one.Base, one.Method, one.Path, one.Status, words(one.Scopes), words(one.Named), number)
}

// observe finds the operation of a call, and counts it.
func (c *trafficReader) observe(base, method, path string, status int, connected, named []string, number int) error {
	path, _, _ = strings.Cut(path, "?")
	path, _, _ = strings.Cut(path, "#")
	path = c.masked(path)
	u, err := scopes.ParseOperation(method + " {" + base + "}" + path)
	if err == nil {
		u = c.Known.Fold(u)
	} else { // what no template holds may be what is folded
		u, err = scopes.ParseOperation(method + " {" + base + "}" + scopes.FoldPath(path))
	}
	if err != nil {
		c.unfit++
		return nil
	}
	return c.count(u, status, connected, named, number)
}

// count counts a call. Only here does something of a recording enter the evidence.
func (c *trafficReader) count(u scopes.Operation, status int, connected, named []string, number int) error {
	key := observed{u, status, strings.Join(connected, " "), strings.Join(named, " ")}
	if at, there := c.index[key]; there {
		c.evidence.Traffic[at].Count++
		return nil
	}
	if len(c.index) >= maxObservations {
		return &Error{Where: audit.Where{File: c.file, Line: number}, Kind: TooLarge, Reason: fmt.Sprintf("more than %d different calls", maxObservations)}
	}
	c.index[key] = len(c.evidence.Traffic)
	c.evidence.Traffic = append(c.evidence.Traffic, audit.Observation{
		Operation: u, Status: status, Scopes: connected, Named: named, Count: 1,
		Where: audit.Where{File: c.file, Line: number},
	})
	return nil
}

// words are those that are scopes; nil for nil, where nothing was said.
func words(list []string) []string {
	if list == nil {
		return nil
	}
	kept := []string{}
	for _, word := range list {
		if scopes.CheckScope(word) == nil {
			kept = append(kept, word)
		}
	}
	return kept
}

// masked is a path with {secret} for each segment that holds the beginning of a
// credential, escaped or not.
func (c *trafficReader) masked(path string) string {
	if c.Provider == nil {
		return path
	}
	for _, k := range c.Provider.Credentials {
		if k.Prefix == "" || !strings.Contains(path, k.Prefix) && !strings.Contains(path, "%") {
			continue
		}
		segments := strings.Split(path, "/")
		for i, s := range segments {
			plain, err := url.PathUnescape(s)
			if strings.Contains(s, k.Prefix) || err == nil && strings.Contains(plain, k.Prefix) {
				segments[i] = "{secret}"
			}
		}
		path = strings.Join(segments, "/")
	}
	return path
}

func (c *trafficReader) note(number int, message string) {
	c.evidence.Notes = append(c.evidence.Notes, audit.Note{Where: audit.Where{File: c.file, Line: number}, Message: message})
}

func (c *trafficReader) summary() {
	if len(c.evidence.Traffic)+c.foreign+c.unfit == 0 {
		c.note(0, "holds no call")
	}
	if c.foreign > 0 {
		c.note(0, "left out: "+text.Count(c.foreign, "call")+" to hosts that are not the provider's")
	}
	if c.unfit > 0 {
		c.note(0, "left out: "+text.Count(c.unfit, "call")+" with a method or a path that a manifest cannot name")
	}
}
