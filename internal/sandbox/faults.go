package sandbox

import (
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	htmlPage = "<!doctype html><title>Sign in</title><p>Please sign in to go on.</p>"
	// Members that many answers have, each of a type that it never has.
	wrongShape = `{"issuer":7,"scopes_supported":"all","authorization_endpoint":[],"token_endpoint":{},"active":"perhaps","scope":{},"scopes":{"all":true},"access_token":[1],"type":7,"content":"none"}`
	noJSON     = "\x00\xff{\"scopes\": [\"unfinished"
	// slowness is long enough to be seen and short enough for a test.
	slowness = 300 * time.Millisecond
	// afterPieces is where a stream is cut: events have come, the end has not.
	afterPieces = 3
	// maxDrain bounds what is read of a request that gets no answer: net/http notices a
	// client's going only once the body is read.
	maxDrain = 64 << 20
)

// withFaults puts the misbehaviors of a part before what it serves.
func (s *Sandbox) withFaults(part string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch s.faultAt(part) {
		case kind500:
			writeText(w, http.StatusInternalServerError, "application/json", []byte(`{"error":"server_error"}`))
		case kindHTML:
			writeText(w, http.StatusOK, "text/html; charset=utf-8", []byte(htmlPage))
		case kindNoMetadata:
			writeText(w, http.StatusNotFound, "text/html; charset=utf-8", []byte(htmlPage))
		case kindBadJSON:
			writeText(w, http.StatusOK, "application/json", []byte(wrongShape))
		case kindGarbage:
			writeText(w, http.StatusOK, "application/json", []byte(noJSON))
		case kind429:
			tooMany(w, "1")
		case kind429Long:
			tooMany(w, "60")
		case kindTimeout:
			_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, maxDrain)) // its end or its failure is all one
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		case kindClose:
			panic(http.ErrAbortHandler)
		case kindCut:
			next.ServeHTTP(&cutter{ResponseWriter: w}, r)
			panic(http.ErrAbortHandler)
		case kindSlow:
			next.ServeHTTP(&slowWriter{w, r}, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func tooMany(w http.ResponseWriter, seconds string) {
	w.Header().Set("Retry-After", seconds) // RFC 6585 §4
	writeText(w, http.StatusTooManyRequests, "application/json", []byte(`{"error":"too_many_requests"}`))
}

// writeText answers with a text and its length.
func writeText(w http.ResponseWriter, status int, kind string, text []byte) {
	w.Header().Set("Content-Type", kind)
	if status != http.StatusNoContent {
		w.Header().Set("Content-Length", decimal(len(text)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client may have gone
}

// A cutter lets a stream go until a few pieces have passed, and anything else until
// the middle of its first piece.
type cutter struct {
	http.ResponseWriter
	pieces int
}

// Unwrap serves [http.ResponseController].
func (c *cutter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *cutter) Write(text []byte) (int, error) {
	c.pieces++
	if strings.HasPrefix(c.Header().Get("Content-Type"), "text/event-stream") && c.pieces <= afterPieces {
		return c.ResponseWriter.Write(text)
	}
	_, _ = c.ResponseWriter.Write(text[:len(text)/2])
	_ = http.NewResponseController(c.ResponseWriter).Flush() // what began is to be seen
	panic(http.ErrAbortHandler)
}

type slowWriter struct {
	http.ResponseWriter
	r *http.Request
}

// Unwrap serves [http.ResponseController].
func (s *slowWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *slowWriter) Write(text []byte) (int, error) {
	pause(s.r, slowness)
	return s.ResponseWriter.Write(text)
}

// pause waits, but not for a client that has gone.
func pause(r *http.Request, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	}
}
