package agent

import (
	"sync"
	"time"
)

// An event is one request, and what became of it.
type event struct {
	base, method, path string
	tool               string // that was called; "" for none
	status             int
	named              []string // scopes that the answer names
	began              time.Time
	took               time.Duration
	note               string // why it was answered here; "" where it was sent on
	problem            error  // why there was no answer
}

const (
	// eventPause is how long an event may wait to be written down. To write each at once
	// would cost a busy child a tenth of its requests.
	eventPause = 100 * time.Millisecond
	// pendingEvents is how many may wait; whoever comes then writes them down himself.
	pendingEvents = 1024
)

// An eventQueue writes events in order, outside of the goroutines of the requests: a small
// response leaves only when its handler returns, and would wait for the disk.
type eventQueue struct {
	put func(event)

	mu      sync.Mutex
	pending []event
	spare   []event
	timer   *time.Timer

	writing sync.Mutex // held by whoever writes
}

func newEventQueue(put func(event)) *eventQueue { return &eventQueue{put: put} }

// write notes an event; it is written down within eventPause.
func (q *eventQueue) write(e event) {
	q.mu.Lock()
	q.pending = append(q.pending, e)
	waiting := len(q.pending)
	if waiting == 1 {
		if q.timer == nil {
			q.timer = time.AfterFunc(eventPause, q.flush)
		} else {
			q.timer.Reset(eventPause)
		}
	}
	q.mu.Unlock()
	if waiting >= pendingEvents {
		q.flush()
	}
}

// flush writes down what waits, and returns when it is written.
func (q *eventQueue) flush() {
	q.writing.Lock()
	defer q.writing.Unlock()
	q.mu.Lock()
	events := q.pending
	q.pending, q.spare = q.spare[:0], nil
	q.mu.Unlock()
	for _, e := range events {
		q.put(e)
	}
	clear(events)
	q.mu.Lock()
	q.spare = events[:0]
	q.mu.Unlock()
}
