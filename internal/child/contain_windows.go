package child

import (
	"os/exec"
	"syscall"
)

func contain(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
	cmd.Cancel = func() error {
		(&job{pid: cmd.Process.Pid}).kill(cmd.Process)
		return nil
	}
}
