package guard

import "time"

const (
	// MaxDocument is the size of a document in bytes, unpacked. The largest known
	// one has 10 KiB; a hundred times that is no document but an attack or a mistake.
	MaxDocument = 1 << 20
	// FetchTimeout bounds the reading of one document, all places, redirects and
	// waiting included: a person waits for it before anything else can happen.
	FetchTimeout = 10 * time.Second
	// maxRedirects is enough for a host name that moved, and for a slash added.
	maxRedirects = 3
	// maxRetryWait is the longest Retry-After that is waited out. Beyond it a
	// person wants to be told rather than kept waiting.
	maxRetryWait = 5 * time.Second

	// dialTimeout is for one connection attempt: two lost SYN packets and a bit.
	dialTimeout = 5 * time.Second
	// tlsTimeout is for the handshake, which is two or three round trips.
	tlsTimeout = 5 * time.Second
	// headerTimeout is the wait for the first byte of a response, within the total.
	headerTimeout = 8 * time.Second
	// maxHeaderBytes bounds a response's header fields. Go's default is 10 MiB.
	maxHeaderBytes = 256 << 10
	// maxCAFile takes several system bundles of a quarter MiB each.
	maxCAFile = 4 << 20
	// idleTimeout keeps a connection for the next request of the same command.
	idleTimeout = 30 * time.Second
)
