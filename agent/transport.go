package agent

import (
	"net/http"

	"github.com/ambit-auth/ambit/internal/guard"
)

// maxIdlePerHost is how many connections to one server stay open between requests: as
// many as any agent has requests at once. Go's default of two opens a new one for
// nearly every request of a busy client.
const maxIdlePerHost = 256

// NewTransport makes the transport for forwarding: connections are kept for the next
// request, and answers pass as they are packed. Put a guard around it that sends
// nothing to hosts that the user does not trust. The error is a [metadata.Error].
func NewTransport(opt guard.Options) (*http.Transport, error) {
	t, err := guard.NewTransport(opt)
	if err != nil {
		return nil, err
	}
	t.DisableCompression = true
	t.MaxIdleConns = 0 // no limit but the one per host
	t.MaxIdleConnsPerHost = maxIdlePerHost
	return t, nil
}

func defaultTransport() (http.RoundTripper, error) { return NewTransport(guard.Options{}) }
