// Package ports is about the ports of this machine: who listens on one, who calls, and what it means that
// nobody else can.
package ports

import (
	"fmt"

	"github.com/ambit-auth/ambit/internal/text"
)

// A Holder listens on a port. Where the system does not tell who it is, Program is ""
// and PID is 0.
type Holder struct {
	Port    int
	Program string // its short name, as it names itself
	PID     int
}

// String names the port and who has it.
func (h Holder) String() string {
	if h.PID == 0 {
		return fmt.Sprintf("%d (another program)", h.Port)
	}
	return fmt.Sprintf("%d (%s, process %d)", h.Port, text.Line(h.Program), h.PID)
}
