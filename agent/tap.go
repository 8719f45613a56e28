package agent

import (
	"io"

	"github.com/ambit-auth/ambit/internal/refusal"
)

// A tap keeps the beginning of a body that passes through it, as it comes, and shows it once:
// when the body ends, is given up, or is longer than that.
type tap struct {
	io.ReadCloser
	seen  []byte
	shown bool
	show  func([]byte)
}

// Read implements [io.Reader].
func (t *tap) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if !t.shown {
		t.seen = append(t.seen, p[:min(n, refusal.MaxBody-len(t.seen))]...)
		if err != nil || len(t.seen) == refusal.MaxBody {
			t.end()
		}
	}
	return n, err
}

// Close implements [io.Closer].
func (t *tap) Close() error {
	t.end()
	return t.ReadCloser.Close()
}

func (t *tap) end() {
	if !t.shown {
		t.shown = true
		t.show(t.seen)
		t.seen = nil
	}
}
