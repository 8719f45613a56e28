package mcp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/ambit-auth/ambit/internal/guard"
)

// ReadTools reads the response to a request for the list of tools: a JSON-RPC response, or a
// stream of events of which one carries it. tool is called with each name, as it comes. next is
// the cursor of the page that follows, "" after the last. whole is false for what is not a list,
// or breaks off: then nothing follows from a name that did not come.
func ReadTools(body io.Reader, stream bool, tool func(name string)) (next string, whole bool) {
	if !stream {
		return readList(body, tool)
	}
	in := bufio.NewReader(body)
	for {
		e := &event{in: in}
		if next, whole = readList(e, tool); whole {
			return next, true
		}
		if _, err := io.Copy(io.Discard, e); err != nil || e.last {
			return "", false
		}
	}
}

func readList(body io.Reader, tool func(name string)) (next string, whole bool) {
	d := json.NewDecoder(body)
	listed := false
	err := guard.Members(d, func(key string) error {
		if key != "result" {
			return guard.Skip(d)
		}
		return guard.Members(d, func(key string) error {
			switch key {
			case "tools":
				listed = true
				return readNames(d, tool)
			case "nextCursor":
				return lenient(d.Decode(&next))
			}
			return guard.Skip(d)
		})
	})
	return next, listed && err == nil
}

// readNames reads one tool after the other.
func readNames(d *json.Decoder, tool func(name string)) error {
	if open, err := d.Token(); err != nil || open != json.Delim('[') {
		return errNoList
	}
	for d.More() {
		var one struct {
			Name string `json:"name"`
		}
		if err := lenient(d.Decode(&one)); err != nil {
			return err
		}
		if one.Name != "" {
			tool(one.Name)
		}
	}
	_, err := d.Token()
	return err
}

var errNoList = errors.New("not a list")

// lenient takes a value of another type for none.
func lenient(err error) error {
	if _, other := errors.AsType[*json.UnmarshalTypeError](err); other {
		return nil
	}
	return err
}

// An event reads what one event of a stream carries: its lines of data, to the blank line.
type event struct {
	in    *bufio.Reader
	ended bool
	last  bool // nothing follows in the stream
	line  []byte
	data  bool // the line that is read is one of data
	begun bool // it was read in part
}

// Read gives the data, a line feed after each of its lines.
func (e *event) Read(into []byte) (int, error) {
	for len(e.line) == 0 {
		if e.ended {
			return 0, io.EOF
		}
		e.next()
	}
	n := copy(into, e.line)
	e.line = e.line[n:]
	return n, nil
}

// next reads a line, or as much of it as the buffer holds.
func (e *event) next() {
	line, err := e.in.ReadSlice('\n')
	whole := err == nil
	if !e.begun {
		if e.ended = whole && len(bytes.TrimRight(line, "\r\n")) == 0; e.ended {
			return
		}
		line, e.data = bytes.CutPrefix(line, []byte("data:"))
	}
	if e.data {
		e.line = line
	}
	e.begun = err == bufio.ErrBufferFull
	if err != nil && !e.begun {
		e.ended, e.last = true, true
	}
}
