package child

import (
	"os/exec"
	"time"
)

// containDelay is how long the output of a command is waited for that has ended, or was ended:
// what it started may hold it open.
const containDelay = time.Second

// Contain makes the end of cmd's context that of all that the command started, and keeps the
// terminal's signals from it. cmd is one of [exec.CommandContext] that was not started yet.
func Contain(cmd *exec.Cmd) {
	cmd.WaitDelay = containDelay
	contain(cmd)
}
