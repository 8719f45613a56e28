package cli

import (
	"fmt"

	"github.com/ambit-auth/ambit/agent/diagnosis"
)

// A failure is an error that knows its exit code and the way out. What is shown of
// it is Message and Hint; Err is for code that asks.
type failure struct {
	Code    int
	Message string // one line or, for mistakes in files, one line each
	Hint    string // what to do; "" where the message says it all
	Err     error
	Verdict *verdict // why, where that was found out

	diagnosis *diagnosis.Verdict // the same with its evidence, where servers were asked
}

// A verdict is why a credential does not do, in the words of ambit.verdict/v1.
type verdict struct {
	Cause      diagnosis.Cause      `json:"cause"`
	Confidence diagnosis.Confidence `json:"confidence"`
}

func (f *failure) Error() string { return f.Message }

func (f *failure) Unwrap() error { return f.Err }

// place is file:line of a declaration.
func place(file string, line int) string { return fmt.Sprintf("%s:%d", file, line) }
