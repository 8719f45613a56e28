package child

import "golang.org/x/sys/unix"

// Hide keeps the memory and the environment of this process, in which a credential stands, from
// other processes of the same user, a child among them: /proc/PID/environ and /proc/PID/mem cannot be
// opened, and no debugger can attach (PR_SET_DUMPABLE(2const)). The command line stays readable, and
// root can read everything. A child is not hidden itself: exec takes it back.
func Hide() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
