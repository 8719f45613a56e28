package agent

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxReplay is how much of one upload is kept, in bytes, so that the request can be
	// sent once more; an agent's have 76 KiB.
	maxReplay = 8 << 20
	// maxKept is how much of all uploads together is kept, in bytes.
	maxKept = 32 << 20
	// maxWatched is how much of all responses together, and of requests to MCP servers, is kept to be
	// looked at, in bytes.
	maxWatched = 32 << 20
	// keptChunk is in what pieces it is kept: with 76 KiB in two of them, little is left over. What is
	// looked at is one such piece ([refusal.MaxBody], [mcp.MaxRequest]).
	keptChunk = 64 << 10
	// replayPatience bounds the wait for a client that pauses in the middle of an upload
	// which the server has refused already: it may be waiting for the answer.
	replayPatience = time.Second
)

// A budget is one for all requests together.
type budget struct {
	limit int64
	used  atomic.Int64
}

// reserve takes room for n; false where the budget has none.
func (b *budget) reserve(n int64) bool {
	if b.used.Add(n) <= b.limit {
		return true
	}
	b.used.Add(-n)
	return false
}

func (b *budget) release(n int64) { b.used.Add(-n) }

// buffers are the memory in which uploads are kept, with a budget in chunks.
type buffers struct {
	budget
	pool sync.Pool
}

// chunks is how many chunks hold that many bytes.
func chunks(bytes int64) int64 { return (bytes + keptChunk - 1) / keptChunk }

func (b *buffers) get() *[keptChunk]byte {
	if chunk, ok := b.pool.Get().(*[keptChunk]byte); ok {
		return chunk
	}
	return new([keptChunk]byte)
}

func (b *buffers) put(chunk *[keptChunk]byte) { b.pool.Put(chunk) }

// A replayBuffer passes an upload on and keeps a copy, for as long as the request may have
// to be sent once more.
type replayBuffer struct {
	buffers *buffers
	dropped atomic.Bool // the copy is of no use any more

	lock     chan struct{} // its holder has its one place; unlike a mutex it can be waited for with an end
	src      io.ReadCloser
	copy     []*[keptChunk]byte
	kept     int   // bytes in copy
	reserved int64 // chunks of the budget
	lost     bool  // some of what was read is not in copy
	err      error // of src, once it has ended
}

// newReplayBuffer keeps an upload of a known length; a negative one is not known, and takes its
// room as it comes. It is nil where there is no room: then the upload passes, and is not kept.
func newReplayBuffer(room *buffers, src io.ReadCloser, length int64) *replayBuffer {
	b := &replayBuffer{buffers: room, lock: make(chan struct{}, 1), src: src}
	if length > maxReplay || length > 0 && !b.room(length) {
		return nil
	}
	return b
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
	for _, chunk := range b.copy {
		b.buffers.put(chunk)
	}
	b.buffers.release(b.reserved)
	b.copy, b.kept, b.reserved, b.lost = nil, 0, 0, true
}

// Read gives what is kept, then what comes.
func (a *attempt) Read(p []byte) (int, error) {
	b := a.b
	b.lock <- struct{}{}
	defer b.unlock()
	if a.at < b.kept {
		n := copy(p, b.copy[a.at/keptChunk][a.at%keptChunk:min(keptChunk, b.kept-a.at/keptChunk*keptChunk)])
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
	if b.lost {
		return
	}
	if b.dropped.Load() || b.kept+len(text) > maxReplay || !b.room(int64(b.kept+len(text))) {
		b.forget()
		return
	}
	for len(text) > 0 {
		at := b.kept % keptChunk
		if at == 0 {
			b.copy = append(b.copy, b.buffers.get())
		}
		n := copy(b.copy[len(b.copy)-1][at:], text)
		b.kept, text = b.kept+n, text[n:]
	}
}

// room sees to it that so many bytes may be kept.
func (b *replayBuffer) room(bytes int64) bool {
	more := chunks(bytes) - b.reserved
	if more <= 0 {
		return true
	}
	if !b.buffers.reserve(more) {
		return false
	}
	b.reserved += more
	return true
}

// Close leaves the upload open: another try may read on. The server closes it when the
// request is over.
func (a *attempt) Close() error { return nil }
