package agent

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxReplay is how much of an upload is kept, in bytes, so that the request can be
	// sent once more; an agent's have 76 KiB.
	maxReplay = 8 << 20
	// replayPatience bounds the wait for a client that pauses in the middle of an upload
	// which the server has refused already: it may be waiting for the answer.
	replayPatience = time.Second
	// maxPooled is the largest buffer that is kept for the next upload.
	maxPooled = 1 << 20
)

// buffers holds what uploads were kept in.
type buffers struct{ pool sync.Pool }

func (b *buffers) get() []byte {
	if kept, ok := b.pool.Get().(*[]byte); ok {
		return (*kept)[:0]
	}
	return nil
}

func (b *buffers) put(kept []byte) {
	if cap(kept) > 0 && cap(kept) <= maxPooled {
		b.pool.Put(&kept)
	}
}

// A replayBuffer passes an upload on and keeps a copy, for as long as the request may have
// to be sent once more.
type replayBuffer struct {
	buffers *buffers
	limit   int
	dropped atomic.Bool // the copy is of no use any more

	lock chan struct{} // its holder has its one place; unlike a mutex it can be waited for with an end
	src  io.ReadCloser
	copy []byte
	lost bool  // some of what was read is not in copy
	err  error // of src, once it has ended
}

func newReplayBuffer(pool *buffers, src io.ReadCloser) *replayBuffer {
	return &replayBuffer{buffers: pool, limit: maxReplay, lock: make(chan struct{}, 1), src: src, copy: pool.get()}
}

// An attempt is the upload as one try to send it reads it: from its beginning.
type attempt struct {
	b  *replayBuffer
	at int
}

// again is the upload from its beginning; nil where not all of it was kept. A try
// before this one may still be reading: what it reads is not lost on this one.
func (b *replayBuffer) again() io.ReadCloser {
	if !b.lockWithin(replayPatience) {
		return nil
	}
	defer b.unlock()
	if b.lost || b.dropped.Load() {
		return nil
	}
	return &attempt{b: b}
}

// drop ends the keeping. It does not wait for a read that is on its way.
func (b *replayBuffer) drop() {
	b.dropped.Store(true)
	select {
	case b.lock <- struct{}{}:
		b.forget()
		b.unlock()
	default:
	}
}

func (b *replayBuffer) lockWithin(patience time.Duration) bool {
	select {
	case b.lock <- struct{}{}:
		return true
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case b.lock <- struct{}{}:
		return true
	case <-timer.C:
		return false
	}
}

func (b *replayBuffer) unlock() { <-b.lock }

func (b *replayBuffer) forget() {
	if b.copy != nil {
		b.buffers.put(b.copy)
	}
	b.copy, b.lost = nil, true
}

// Read gives what is kept, then what comes.
func (a *attempt) Read(p []byte) (int, error) {
	b := a.b
	b.lock <- struct{}{}
	defer b.unlock()
	if a.at < len(b.copy) {
		n := copy(p, b.copy[a.at:])
		a.at += n
		return n, nil
	}
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.src.Read(p)
	b.err = err
	b.keep(p[:n])
	a.at += n
	return n, err
}

func (b *replayBuffer) keep(text []byte) {
	switch {
	case b.lost:
	case b.dropped.Load() || len(b.copy)+len(text) > b.limit:
		b.forget()
	default:
		b.copy = append(b.copy, text...)
	}
}

// Close leaves the upload open: another try may read on. The server closes it when the
// request is over.
func (a *attempt) Close() error { return nil }
