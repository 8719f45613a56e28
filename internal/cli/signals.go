package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// watchSignals ends the invocation's context on Ctrl-C and SIGTERM, so that what was
// begun is put away. A second signal ends the process as if nobody watched. It is
// called once there is something to put away: watching from the start costs every
// command a tenth of its time. Safe for concurrent use.
func (r *invocation) watchSignals() {
	if !r.Signals || r.watching.Swap(true) {
		return
	}
	came := make(chan os.Signal, 1)
	signal.Notify(came, os.Interrupt, syscall.SIGTERM)
	go func(ctx context.Context) {
		select {
		case <-came:
			signal.Stop(came)
			r.cancel()
		case <-ctx.Done():
		}
	}(r.ctx)
}
