package child

import (
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
)

// A job is a child on a system without process groups: it shares our console, and with
// it Ctrl-C, which we leave to it.
type job struct {
	pid     int
	signals chan os.Signal
}

func (j *job) attributes(*os.File) *syscall.SysProcAttr { return nil }

func (j *job) begin(pid int) {
	j.pid = pid
	j.signals = make(chan os.Signal, 8)
	signal.Notify(j.signals, os.Interrupt)
}

func (j *job) wait(p *os.Process) (int, error) {
	state, err := p.Wait()
	if err != nil {
		return 0, err
	}
	return state.ExitCode(), nil
}

func (j *job) end() { signal.Stop(j.signals) }

// ask asks the child and what it started to end; a program without a window does not
// hear it.
func (j *job) ask() { _ = exec.Command("taskkill", "/T", "/PID", strconv.Itoa(j.pid)).Run() }

// kill ends the child and what it started.
func (j *job) kill(p *os.Process) {
	if exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(j.pid)).Run() != nil {
		_ = p.Kill()
	}
}

func (j *job) sweep() {}
