package agent

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// MaxReplay is how much of an upload is kept, in bytes, so that the request can be
	// sent once more; an agent's have 76 KiB.
	MaxReplay = 8 << 20
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

// A keeper lets an upload through and keeps a copy, for as long as it may have to be
// sent once more.
type keeper struct {
	buffers *buffers
	limit   int
	dropped atomic.Bool // the copy is of no use any more

	lock chan struct{} // its holder has its one place; unlike a mutex it can be waited for with an end
	src  io.ReadCloser
	copy []byte
	lost bool  // some of what was read is not in copy
	err  error // of src, once it has ended
}

func newKeeper(b *buffers, src io.ReadCloser) *keeper {
	return &keeper{buffers: b, limit: MaxReplay, lock: make(chan struct{}, 1), src: src, copy: b.get()}
}

// An attempt is the upload as one try to send it reads it: from its beginning.
type attempt struct {
	k  *keeper
	at int
}

// again is the upload from its beginning; nil where not all of it was kept. A try
// before this one may still be reading: what it reads is not lost on this one.
func (k *keeper) again() io.ReadCloser {
	if !k.lockWithin(replayPatience) {
		return nil
	}
	defer k.unlock()
	if k.lost || k.dropped.Load() {
		return nil
	}
	return &attempt{k: k}
}

// drop ends the keeping. It does not wait for a read that is on its way.
func (k *keeper) drop() {
	k.dropped.Store(true)
	select {
	case k.lock <- struct{}{}:
		k.forget()
		k.unlock()
	default:
	}
}

func (k *keeper) lockWithin(patience time.Duration) bool {
	select {
	case k.lock <- struct{}{}:
		return true
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case k.lock <- struct{}{}:
		return true
	case <-timer.C:
		return false
	}
}

func (k *keeper) unlock() { <-k.lock }

func (k *keeper) forget() {
	if k.copy != nil {
		k.buffers.put(k.copy)
	}
	k.copy, k.lost = nil, true
}

// Read gives what is kept, then what comes.
func (a *attempt) Read(p []byte) (int, error) {
	k := a.k
	k.lock <- struct{}{}
	defer k.unlock()
	if a.at < len(k.copy) {
		n := copy(p, k.copy[a.at:])
		a.at += n
		return n, nil
	}
	if k.err != nil {
		return 0, k.err
	}
	n, err := k.src.Read(p)
	k.err = err
	k.keep(p[:n])
	a.at += n
	return n, err
}

func (k *keeper) keep(text []byte) {
	switch {
	case k.lost:
	case k.dropped.Load() || len(k.copy)+len(text) > k.limit:
		k.forget()
	default:
		k.copy = append(k.copy, text...)
	}
}

// Close leaves the upload open: another try may read on. The server closes it when the
// request is over.
func (a *attempt) Close() error { return nil }
