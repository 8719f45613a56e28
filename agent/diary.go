package agent

import (
	"sync"
	"time"
)

// An event is one request, and what became of it.
type event struct {
	base, method, path string
	status             int
	named              []string // scopes that the answer names
	began              time.Time
	took               time.Duration
	note               string // why it was answered here; "" where it was sent on
	problem            error  // why there was no answer
}

const (
	// diaryPause is how long an event may wait to be written down. To write each at once
	// would cost a busy child a tenth of its requests.
	diaryPause = 100 * time.Millisecond
	// pendingEvents is how many may wait; whoever comes then writes them down himself.
	pendingEvents = 1024
)

// A diary writes events down one after the other, and apart from the requests: a small
// answer leaves only when its handler returns, and would wait for the disk.
type diary struct {
	put func(event)

	mu      sync.Mutex
	pending []event
	spare   []event
	timer   *time.Timer

	writing sync.Mutex // held by whoever writes
}

func newDiary(put func(event)) *diary { return &diary{put: put} }

// write notes an event; it is written down within diaryPause.
func (d *diary) write(e event) {
	d.mu.Lock()
	d.pending = append(d.pending, e)
	waiting := len(d.pending)
	if waiting == 1 {
		if d.timer == nil {
			d.timer = time.AfterFunc(diaryPause, d.flush)
		} else {
			d.timer.Reset(diaryPause)
		}
	}
	d.mu.Unlock()
	if waiting >= pendingEvents {
		d.flush()
	}
}

// flush writes down what waits, and returns when it is written.
func (d *diary) flush() {
	d.writing.Lock()
	defer d.writing.Unlock()
	d.mu.Lock()
	events := d.pending
	d.pending, d.spare = d.spare[:0], nil
	d.mu.Unlock()
	for _, e := range events {
		d.put(e)
	}
	clear(events)
	d.mu.Lock()
	d.spare = events[:0]
	d.mu.Unlock()
}
