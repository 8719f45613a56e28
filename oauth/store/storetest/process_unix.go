//go:build unix

package storetest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// stop makes the process sleep until wake, and reports whether it can.
func (p *process) stop() bool { return p.cmd.Process.Signal(syscall.SIGSTOP) == nil }

func (p *process) wake() { _ = p.cmd.Process.Signal(syscall.SIGCONT) }

// killPrograms kills the programs that the process has started, where the system tells which.
func (p *process) killPrograms() {
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.cmd.Process.Pid))
	for _, task := range tasks {
		list, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", p.cmd.Process.Pid, task.Name()))
		for word := range strings.FieldsSeq(string(list)) {
			if pid, err := strconv.Atoi(word); err == nil && pid > 1 {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
}
