package child

import "syscall"

// A Process is a child that a test stops and waits for by itself.
type Process = process

// Start starts a child without waiting for it.
func (c Command) Start() (*Process, error) { return c.start() }

// Wait waits for the child's end.
func (c *process) Wait() (int, error) { return c.wait() }

// Stop ends the child.
func (c *process) Stop() { c.stop(syscall.SIGTERM) }
