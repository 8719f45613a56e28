package oauth

import (
	"context"
	"io"
	"log"
	"net/http"
	"sync"
	"time"
)

const (
	// headerTimeout is for a browser on the same machine; it keeps a silent connection
	// from staying.
	headerTimeout = 5 * time.Second
	// maxHeader holds the longest response that is believed in: a code of maxToken, and
	// a browser's own fields.
	maxHeader = 64 << 10
	// pageTimeout bounds the delivery of the last page.
	pageTimeout = 5 * time.Second
	// closeTimeout is for connections that the browser opened in advance and never
	// used, which a graceful end would wait for.
	closeTimeout = 250 * time.Millisecond
)

// A pageServer serves one handler on the loopback listeners.
type pageServer struct {
	server *http.Server
	at     *loopback
	wait   sync.WaitGroup
}

func servePages(at *loopback, pages http.Handler) *pageServer {
	s := &pageServer{at: at}
	s.server = &http.Server{
		Handler:           pages,
		ReadHeaderTimeout: headerTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log.New(io.Discard, "", 0), // it would write to the terminal
	}
	for _, listener := range at.listeners {
		s.wait.Go(func() { _ = s.server.Serve(listener) }) // ends with [pageServer.stop]
	}
	return s
}

// stop lets the pages that are under way arrive, and then ends everything.
func (s *pageServer) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil {
		_ = s.server.Close()
	}
	s.at.close()
	s.wait.Wait()
}
