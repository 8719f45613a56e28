package agent

import (
	"bytes"
	"io"
	"net/http"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/refusal"
)

// A watchedBody is that of a successful response, which may have an error in it. It passes as
// it comes; its beginning is kept, and looked at where something in it hints at an error: at
// the end, and of a stream after each event. The verdict is told before the child has the end of
// what it is about.
type watchedBody struct {
	io.ReadCloser
	x      *exchange
	answer diagnosis.Response // without the body
	stream bool               // of events that can be read as they come
	kept   []byte
	seen   int64
	done   bool
}

// watched makes the body of a response one that is looked at on its way. One that is too long
// for an error is left alone.
func (x *exchange) watched(resp *http.Response) io.ReadCloser {
	if resp.ContentLength > refusal.MaxBody || resp.ContentLength == 0 {
		return resp.Body
	}
	return &watchedBody{
		ReadCloser: resp.Body, x: x, answer: diagnosis.Response{Status: resp.StatusCode, Header: resp.Header}, stream: refusal.IsStream(resp.Header),
	}
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
		w.look(w.kept)
		w.done = true
	case w.stream:
		if end := lastEvent(w.kept); end > 0 {
			w.look(w.kept[:end])
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

func (w *watchedBody) look(body []byte) {
	answer := w.answer
	answer.Body = body
	if refusal.Fails(refusal.Response(answer)) {
		w.x.explain(answer)
	}
}
