package cli

import (
	"bufio"
	"context"
	"io"
)

// lines gives what is typed, a line at a time, until the input ends. One goroutine
// reads for the whole invocation: a read from a terminal cannot be taken back, so a
// second reader would lose what the first had begun.
func (r *run) lines() <-chan string {
	if r.typed != nil {
		return r.typed
	}
	typed := make(chan string)
	r.typed = typed
	go func() {
		defer close(typed)
		// What is pasted is a URL; maxPasted has room for the longest that browsers make.
		scanner := bufio.NewScanner(io.LimitReader(r.Stdin, maxPasted))
		scanner.Buffer(nil, maxPasted)
		for scanner.Scan() {
			typed <- scanner.Text()
		}
	}()
	return typed
}

// maxPasted bounds what is read from a person, in bytes.
const maxPasted = 1 << 20

// readLine is the next line; io.EOF where there is no more.
func (r *run) readLine(ctx context.Context) (string, error) {
	select {
	case line, ok := <-r.lines():
		if !ok {
			return "", io.EOF
		}
		return line, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
