package agent

import (
	"bytes"
	"io"

	"github.com/ambit-auth/ambit/internal/refusal"
)

// A watchedBody is that of a successful response, which may have an error in it. It passes as
// it comes; its beginning is kept, and shown: at the end, and of a stream after each event. So
// what is told of it is told before the child has the end of it.
type watchedBody struct {
	io.ReadCloser
	stream bool // of events that can be read as they come
	show   func([]byte)
	kept   []byte
	seen   int64
	done   bool
}

// Read passes what comes.
func (w *watchedBody) Read(into []byte) (int, error) {
	n, err := w.ReadCloser.Read(into)
	if w.done {
		return n, err
	}
	w.kept, w.seen = append(w.kept, into[:n]...), w.seen+int64(n)
	switch {
	case w.seen > refusal.MaxBody: // an error says that it is one earlier
		w.done = true
	case err != nil:
		w.show(w.kept)
		w.done = true
	case w.stream:
		if end := lastEvent(w.kept); end > 0 {
			w.show(w.kept[:end])
			w.kept = append(w.kept[:0], w.kept[end:]...)
		}
	}
	if w.done {
		w.kept = nil
	}
	return n, err
}

// lastEvent is where the last whole event of a stream ends.
func lastEvent(stream []byte) int {
	end := 0
	for _, mark := range []string{"\n\n", "\r\n\r\n"} {
		if at := bytes.LastIndex(stream, []byte(mark)); at >= 0 {
			end = max(end, at+len(mark))
		}
	}
	return end
}
