package cli

import "github.com/ambit-auth/ambit/internal/signals"

// watchSignals ends the invocation's context at a signal that ends a program, so that what
// was begun is put away. It is called once there is something to put away: watching from the
// start costs every command a tenth of its time. Safe for concurrent use.
func (r *invocation) watchSignals() {
	if r.Signals && !r.watching.Swap(true) {
		r.watch.Store(signals.OnEnd(r.ctx, r.cancel))
	}
}

// leaveSignals leaves those to a child that it may have a use for.
func (r *invocation) leaveSignals() {
	if watch := r.watch.Load(); watch != nil {
		watch.LeaveToChild()
	}
}
