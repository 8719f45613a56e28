package files

import (
	"io"
	"sync"
	"time"
)

// Peek reads the first limit bytes of body, or what of them comes within patience, and
// returns them together with a body that still has everything.
func Peek(body io.ReadCloser, limit int, patience time.Duration) (first []byte, whole io.ReadCloser) {
	p := &peeked{body: body, done: make(chan struct{})}
	go p.fill(limit)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.first[:len(p.first):len(p.first)], p
}

// A peeked body gives its first bytes as they come, and then the rest.
type peeked struct {
	body io.ReadCloser
	done chan struct{} // closed when first is all that it will be
	at   int

	mu    sync.Mutex
	first []byte
	err   error // that ended first; nil where the limit did
}

func (p *peeked) fill(limit int) {
	defer close(p.done)
	buffer := make([]byte, 4<<10)
	for read := 0; read < limit; {
		n, err := p.body.Read(buffer[:min(len(buffer), limit-read)])
		read += n
		p.mu.Lock()
		p.first, p.err = append(p.first, buffer[:n]...), err
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Read waits for the reading ahead to end, and goes on where it stopped.
func (p *peeked) Read(into []byte) (int, error) {
	<-p.done
	if p.at < len(p.first) {
		n := copy(into, p.first[p.at:])
		p.at += n
		return n, nil
	}
	if p.err != nil {
		return 0, p.err
	}
	return p.body.Read(into)
}

// Close closes the body, which ends the reading ahead.
func (p *peeked) Close() error { return p.body.Close() }
