package child

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/ambit-auth/ambit/internal/text"
)

// A Command is a program to run. In, Out and Err are files, not streams of our own, so
// that a child sees a terminal where there is one; nil is the null device.
type Command struct {
	Args         []string // the program, then its arguments
	Env          []string
	In, Out, Err *os.File
	Grace        time.Duration // between the polite and the firm end; 0 means [signals.Grace]
}

// A process is a running program, with a process group of its own where the system has
// such, so that what it started ends with it. Its methods may be called by many
// goroutines at once.
type process struct {
	process *os.Process
	grace   time.Duration
	killed  bool // stop had to be firm
	job     job
	ended   chan struct{}
	code    int
	err     error
}

// A StartError says that a program could not be started.
type StartError struct {
	Program string
	Err     error
}

// Error names the program.
func (e *StartError) Error() string {
	return fmt.Sprintf("cannot start %q: %v", text.Line(e.Program), e.Err)
}

// Unwrap returns the system's error.
func (e *StartError) Unwrap() error { return e.Err }

// Run starts the program, passes our signals on to it and returns its exit code; one
// that a signal ended has 128 and the signal's number. Where our standard input is the
// terminal in whose foreground we are, the child gets the foreground, and it comes back.
// When ctx ends the child is stopped: by the signal that ended ctx, where it is a [signals.Ended],
// which the code tells even where the child did not heed it. The error is a *[StartError], or the system's.
func (c Command) Run(ctx context.Context) (code int, err error) {
	child, err := c.start()
	if err != nil {
		return 0, err
	}
	stopped := make(chan struct{})
	forget := context.AfterFunc(ctx, func() { child.stop(endOf(ctx)); close(stopped) })
	code, err = child.wait()
	if !forget() { // it is being stopped: what it started ends before we do
		<-stopped
		if s, ok := endOf(ctx).(syscall.Signal); ok && child.killed {
			code = signaled + int(s)
		}
	}
	return code, err
}

// endOf is the signal that ended ctx; SIGTERM's, the polite one, where none did.
func endOf(ctx context.Context) os.Signal {
	if ended, ok := signals.EndOf(ctx); ok {
		return ended.Signal
	}
	return syscall.SIGTERM
}

// start starts the program. The error is a *[StartError]. wait has to be called.
func (c Command) start() (*process, error) {
	if len(c.Args) == 0 {
		return nil, &StartError{Err: errors.New("no program is named")}
	}
	path, err := exec.LookPath(c.Args[0])
	if err != nil {
		if e, ok := errors.AsType[*exec.Error](err); ok {
			err = e.Err
		}
		return nil, &StartError{Program: c.Args[0], Err: err}
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, &StartError{Program: c.Args[0], Err: err}
	}
	defer null.Close()
	files := []*os.File{c.In, c.Out, c.Err}
	for i := range files {
		if files[i] == nil {
			files[i] = null
		}
	}
	child := &process{grace: cmp.Or(c.Grace, signals.Grace), ended: make(chan struct{})}
	child.process, err = os.StartProcess(path, c.Args, &os.ProcAttr{
		Env: c.Env, Files: files, Sys: child.job.attributes(c.In),
	})
	if err != nil {
		return nil, &StartError{Program: c.Args[0], Err: err}
	}
	child.job.begin(child.process.Pid)
	go child.watch()
	return child, nil
}

// watch waits for the end, whoever asks for it.
func (c *process) watch() {
	c.code, c.err = c.job.wait(c.process)
	c.job.end()
	close(c.ended)
}

// wait waits for the child's end and returns its exit code.
func (c *process) wait() (code int, err error) {
	<-c.ended
	return c.code, c.err
}

// signaled is what a shell adds to the number of the signal that ended a program.
const signaled = 128

// stop ends the child and all that it started: politely, by a signal, and after its grace firmly.
// It returns when the child has ended, and may be called more than once.
func (c *process) stop(by os.Signal) {
	select {
	case <-c.ended:
		return
	default:
	}
	c.job.ask(by)
	timer := time.NewTimer(c.grace)
	defer timer.Stop()
	select {
	case <-c.ended:
		c.job.sweep()
		return
	case <-timer.C:
	}
	c.killed = true
	c.job.kill(c.process)
	<-c.ended
}
