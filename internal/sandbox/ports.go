package sandbox

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// Redirect ports are drawn from below the range that systems hand out by themselves
// (RFC 6335 §6 begins it at 49152, Linux at 32768), so that no outgoing connection
// takes one before the login listens there.
const (
	firstPort = 20_000
	lastPort  = 31_999
	// triesPerPort is a bound; on any usual machine the first try does.
	triesPerPort = 200
)

// freePorts finds ports that nothing listens on, on 127.0.0.1 nor on ::1.
func freePorts(n int) ([]int, error) {
	var ports []int
	taken := map[int]bool{}
	for range n * triesPerPort {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if !taken[port] && free("127.0.0.1", port) && (free("::1", port) || !free("::1", 0)) {
			ports = append(ports, port)
		}
		taken[port] = true
		if len(ports) == n {
			return ports, nil
		}
	}
	return nil, errors.New("no free redirect ports on this machine")
}

func free(host string, port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

func decimal(n int) string { return strconv.Itoa(n) }
