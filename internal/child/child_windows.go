package child

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"github.com/ambit-auth/ambit/internal/signals"
)

// A job is a child on a system without process groups: it shares our console, and with
// it Ctrl-C, which we leave to it.
type job struct {
	pid     int
	silence func() // ends the catching of signals
}

// InForeground reports whether this program can read from a file that is a terminal: here each can.
func InForeground(*os.File) bool { return true }

func (j *job) attributes(*os.File) *syscall.SysProcAttr { return nil }

func (j *job) begin(pid int) {
	j.pid = pid
	_, j.silence = signals.Relay() // caught here, or Ctrl-C would end us before the child
}

func (j *job) wait(p *os.Process) (int, error) {
	state, err := p.Wait()
	if err != nil {
		return 0, err
	}
	return state.ExitCode(), nil
}

func (j *job) end() { j.silence() }

// ask asks the child and what it started to end; a program without a window does not
// hear it.
func (j *job) ask(os.Signal) { _ = exec.Command("taskkill", "/T", "/PID", strconv.Itoa(j.pid)).Run() }

// kill ends the child and what it started.
func (j *job) kill(p *os.Process) {
	if exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(j.pid)).Run() != nil {
		_ = p.Kill()
	}
}

func (j *job) sweep() {}
