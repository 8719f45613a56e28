package guard

import (
	"net"
	"net/http"
	"sync"
)

// A crowd are the connections of a server that wait: of those whose request has not come whole, each
// holds as much as a header may have.
type crowd struct {
	limit int

	mu      sync.Mutex
	fresh   []net.Conn // without a request so far, the oldest first
	between []net.Conn // between two requests, the oldest first
}

// BoundWaiting sees to it that no more than limit connections wait for a request at s. One that comes
// beyond that is taken, and the one that has waited longest is closed: whoever opens many cannot keep
// others out. It is called before s serves.
func BoundWaiting(s *http.Server, limit int) {
	c := &crowd{limit: limit}
	s.ConnState = func(conn net.Conn, state http.ConnState) {
		if longest := c.moved(conn, state); longest != nil {
			_ = longest.Close()
		}
	}
}

// moved notes what a connection does now, and returns the one that has to go.
func (c *crowd) moved(conn net.Conn, state http.ConnState) (longest net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fresh, c.between = without(c.fresh, conn), without(c.between, conn)
	switch state {
	case http.StateNew:
		c.fresh = append(c.fresh, conn)
	case http.StateIdle:
		c.between = append(c.between, conn)
	}
	if len(c.fresh)+len(c.between) <= c.limit {
		return nil
	}
	from := &c.between
	if len(c.fresh) > 1 || len(c.between) == 0 { // not the one that has just come
		from = &c.fresh
	}
	longest, *from = (*from)[0], (*from)[1:]
	return longest
}

func without(list []net.Conn, conn net.Conn) []net.Conn {
	for i, one := range list {
		if one == conn {
			return append(list[:i], list[i+1:]...)
		}
	}
	return list
}
