package agent

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/mcp"
	"github.com/ambit-auth/ambit/internal/refusal"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A passingBody is that of a request to an MCP server: its beginning is kept as it passes.
type passingBody struct {
	io.ReadCloser
	mu   sync.Mutex // the transport may still send when the response comes
	head []byte
}

// Read passes what comes.
func (b *passingBody) Read(into []byte) (int, error) {
	n, err := b.ReadCloser.Read(into)
	b.mu.Lock()
	b.head = append(b.head, into[:min(n, mcp.MaxRequest-len(b.head))]...)
	b.mu.Unlock()
	return n, err
}

// beginning is what has passed of it, as far as it is kept.
func (b *passingBody) beginning() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.head[:len(b.head):len(b.head)]
}

// watchCall keeps the beginning of a request to an MCP server as it goes out.
func (x *exchange) watchCall(out *http.Request) {
	if x.callsMCP() && out.Body != nil && x.watches() {
		x.call = &passingBody{ReadCloser: out.Body}
		out.Body = x.call
	}
}

func (x *exchange) callsMCP() bool {
	return provider.CallsMCP(x.method, x.route.base.Name)
}

// readCall finds out what was asked of an MCP server, now that it has answered.
func (x *exchange) readCall(sent *http.Request) {
	switch {
	case x.call != nil:
		x.asked = mcp.ReadRequest(sent.Header, x.call.beginning())
	case x.callsMCP():
		x.asked = mcp.ReadRequest(sent.Header, nil)
	}
}

// tool is the name of the tool that was called, for the record; "" where none was, or one that no
// manifest could name.
func (x *exchange) tool() string {
	op, err := scopes.ParseOperation("tool:" + x.asked.Tool)
	if err != nil {
		return ""
	}
	return op.Tool
}

// maxCatalogue is how much of a list of tools is read, in bytes, unpacked: a thousand tools
// have two or three million.
const maxCatalogue = 8 << 20

// maxLists is how many lists are read at once: any other passes, and what it lacks is told by the next.
const maxLists = 4

// watchCatalogue has a list of tools read as it passes.
func (x *exchange) watchCatalogue(ctx context.Context, resp *http.Response) {
	if !x.asked.ListsTools() || len(x.p.catalogue.declared) == 0 || !refusal.MayFail(resp.StatusCode, resp.Header) || resp.Body == nil {
		return
	}
	absent, known := x.p.catalogue.absentBefore(x.asked.Cursor)
	if !known {
		return
	}
	c := x.begun(resp)
	c.Response.Header = nil // from here on it is the reverse proxy's
	packed, stream := resp.Header.Get("Content-Encoding"), refusal.HasEvents(resp.Header)
	if !x.p.catalogue.room.reserve(1) {
		return
	}
	read, write := io.Pipe()
	w := &readBeside{ReadCloser: resp.Body, to: write, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		next, whole := readCatalogue(read, packed, stream, absent)
		_ = read.Close() // the rest passes unread
		x.p.catalogue.room.release(1)
		switch {
		case !whole:
		case next != "":
			x.p.catalogue.continues(next, absent)
		default:
			x.judge(ctx, c, x.p.catalogue.of(absent))
		}
	}()
	resp.Body = w
}

// readCatalogue takes the tools that a list has out of those that are absent so far.
func readCatalogue(body io.Reader, packed string, stream bool, absent map[string]bool) (next string, whole bool) {
	switch strings.ToLower(packed) {
	case "", "identity":
	case "gzip", "x-gzip":
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return "", false
		}
		body = unpacked
	default:
		return "", false
	}
	return mcp.ReadTools(files.Limit(body, maxCatalogue), stream, func(name string) { delete(absent, name) })
}

// A readBeside body passes as it comes, and is read by another goroutine too. The end comes
// when that one is done.
type readBeside struct {
	io.ReadCloser
	to   *io.PipeWriter
	done chan struct{}
}

// Read passes what comes.
func (r *readBeside) Read(into []byte) (int, error) {
	n, err := r.ReadCloser.Read(into)
	if n > 0 {
		_, _ = r.to.Write(into[:n]) // whoever reads beside may have enough
	}
	if err != nil {
		_ = r.to.CloseWithError(err)
		<-r.done
	}
	return n, err
}

// Close ends the reading beside too.
func (r *readBeside) Close() error {
	_ = r.to.CloseWithError(io.ErrUnexpectedEOF)
	<-r.done
	return r.ReadCloser.Close()
}

// A catalogue knows which tools the manifest declares, and which of them were absent from the
// pages of lists that go on.
type catalogue struct {
	declared []string // in the manifest's order
	room     budget   // lists that are read

	mu     sync.Mutex
	pages  map[string]map[string]bool // by the cursor of the page that follows: what is absent so far
	judged map[string]bool            // what was said already
}

// maxPages bounds how many lists may be under way at once: one that begins beyond it is not judged.
const maxPages = 100

// absentBefore are the tools that no page before the one with this cursor had; known is false
// where nobody saw those pages.
func (k *catalogue) absentBefore(cursor string) (absent map[string]bool, known bool) {
	absent = make(map[string]bool)
	if cursor == "" {
		for _, tool := range k.declared {
			absent[tool] = true
		}
		return absent, true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	before, known := k.pages[cursor]
	for tool := range before {
		absent[tool] = true
	}
	return absent, known
}

// continues notes what is absent before the page with this cursor.
func (k *catalogue) continues(cursor string, absent map[string]bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pages == nil {
		k.pages = make(map[string]map[string]bool)
	}
	if _, known := k.pages[cursor]; known || len(k.pages) < maxPages {
		k.pages[cursor] = absent
	}
}

// of is what a whole list has and lacks.
func (k *catalogue) of(absent map[string]bool) (c diagnosis.Catalogue) {
	for _, tool := range k.declared {
		if absent[tool] {
			c.Absent = append(c.Absent, tool)
		} else {
			c.Listed = append(c.Listed, tool)
		}
	}
	return c
}

// first reports whether something is said for the first time.
func (k *catalogue) first(what string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.judged == nil {
		k.judged = make(map[string]bool)
	}
	if k.judged[what] || len(k.judged) >= maxReported {
		return false
	}
	k.judged[what] = true
	return true
}

// judge tells which of the declared tools a list lacks, and why, where the grant tells. Its
// server is asked first what it holds: once for each such list.
func (x *exchange) judge(ctx context.Context, c diagnosis.Case, tools diagnosis.Catalogue) {
	if len(tools.Absent) == 0 || !x.p.catalogue.first(strings.Join(tools.Absent, " ")) {
		return
	}
	if x.p.cfg.Ask != nil {
		c = x.ask(ctx, c)
	}
	v, lacks, unexplained := diagnosis.Unlisted(c, tools)
	if lacks {
		x.p.report(v)
	}
	if len(unexplained) > 0 {
		x.p.note("not in the server's list of tools, and no scope is known to be missing for it: " + strings.Join(text.Lines(unexplained), ", "))
	}
}

// declaredTools are the tools of all needs, each once.
func declaredTools(needs []scopes.Need) []string {
	var list []string
	for _, need := range needs {
		for _, tool := range need.Tools() {
			if !slices.Contains(list, tool) {
				list = append(list, tool)
			}
		}
	}
	return list
}
