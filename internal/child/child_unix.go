//go:build unix

package child

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/ambit-auth/ambit/internal/signals"
	"golang.org/x/sys/unix"
)

// A job is a child's process group, and its share in the terminal.
type job struct {
	group    int
	terminal int    // file descriptor of the terminal that was handed over; -1 where none was
	own      int    // our own process group
	silence  func() // ends the relay of signals
}

// attributes make the child the leader of a group of its own, in the foreground of the
// terminal if that is ours to give. Standard input decides: who reads from the terminal
// without the foreground is stopped by it.
func (j *job) attributes(in *os.File) *syscall.SysProcAttr {
	j.terminal, j.own = -1, syscall.Getpgrp()
	attr := &syscall.SysProcAttr{Setpgid: true}
	if in == nil {
		return attr
	}
	if fd := int(in.Fd()); InForeground(in) {
		j.terminal = fd
		attr.Foreground, attr.Ctty = true, fd
	}
	return attr
}

// InForeground reports whether this program can read from a file that is a terminal: whoever does so
// in the background is stopped.
func InForeground(terminal *os.File) bool {
	front, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	return err == nil && front == syscall.Getpgrp()
}

// begin passes signals on from now. To take the terminal back later without being
// stopped we ignore SIGTTOU, but only now: a child inherits what is ignored.
func (j *job) begin(pid int) {
	j.group = pid
	if j.terminal >= 0 {
		signal.Ignore(syscall.SIGTTOU)
	}
	var relayed <-chan os.Signal
	relayed, j.silence = signals.Relay()
	go j.pass(relayed)
}

func (j *job) pass(relayed <-chan os.Signal) {
	for s := range relayed {
		if s == syscall.SIGCONT {
			j.resume()
			continue
		}
		_ = syscall.Kill(-j.group, s.(syscall.Signal)) // it may have ended just now
	}
}

// wait reaps the child. While it is stopped (Ctrl-Z reaches it alone), so are we, for
// the shell that we were started from.
func (j *job) wait(p *os.Process) (int, error) {
	defer func() { _ = p.Release() }() // reaped here, and not by it
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(p.Pid, &status, syscall.WUNTRACED, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return 0, os.NewSyscallError("wait4", err)
		case status.Stopped():
			j.stopped()
		case status.Signaled():
			return signaled + int(status.Signal()), nil
		case status.Exited():
			return status.ExitStatus(), nil
		}
	}
}

// orphanPause is after what time a stop that did not stop us counts as none: the system
// discards it where there is no shell that could continue us.
const orphanPause = time.Second

// stopped stops us too, where the child had the terminal.
func (j *job) stopped() {
	if j.terminal < 0 {
		return
	}
	j.give(j.own)
	_ = syscall.Kill(0, syscall.SIGTSTP)
	time.AfterFunc(orphanPause, j.resume) // while we are stopped no time passes
}

// resume lets the child go on, in the foreground if that is ours again.
func (j *job) resume() {
	if j.terminal >= 0 {
		if front, err := unix.IoctlGetInt(j.terminal, unix.TIOCGPGRP); err == nil && front == j.own {
			j.give(j.group)
		}
	}
	_ = syscall.Kill(-j.group, syscall.SIGCONT)
}

// give puts a process group into the foreground.
func (j *job) give(group int) { _ = unix.IoctlSetPointerInt(j.terminal, unix.TIOCSPGRP, group) }

// end takes the terminal back. What else runs in our group may have been stopped for
// want of it.
func (j *job) end() {
	j.silence()
	if j.terminal < 0 {
		return
	}
	j.give(j.own)
	signal.Reset(syscall.SIGTTOU)
}

// ask asks the group to end; what is stopped could not hear it.
func (j *job) ask(by os.Signal) {
	_ = syscall.Kill(-j.group, by.(syscall.Signal))
	_ = syscall.Kill(-j.group, syscall.SIGCONT)
}

func (j *job) kill(*os.Process) { _ = syscall.Kill(-j.group, syscall.SIGKILL) }

const (
	// sweepPause is how often it is looked whether the rest of a group has ended: nobody
	// tells us.
	sweepPause = 20 * time.Millisecond
	// sweepGrace bounds the wait for a group whose leader is gone. What nobody reaps, as
	// in a container without an init, counts as there for ever.
	sweepGrace = 500 * time.Millisecond
)

// sweep waits until nothing of the group is left, and ends it firmly when that takes
// too long.
func (j *job) sweep() {
	tick := time.NewTicker(sweepPause)
	defer tick.Stop()
	patience := time.NewTimer(sweepGrace)
	defer patience.Stop()
	for syscall.Kill(-j.group, 0) == nil {
		select {
		case <-tick.C:
		case <-patience.C:
			j.kill(nil)
			return
		}
	}
}
