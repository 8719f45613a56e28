package view

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
)

// A Failure is an error that knows its exit code and the way out. What is shown of
// it is Message and Hint; Err is for code that asks.
type Failure struct {
	Code    int
	Message string // one line or, for mistakes in files, one line each
	Hint    string // what to do; "" where the message says it all
	Rest    string // the message where a view has shown all else; "" where it shows nothing of it
	Err     error
	Verdict *Cause // why, where that was found out

	Diagnosis *diagnosis.Verdict // the same with its evidence, where servers were asked
}

// A Cause is why a credential does not do, in the words of ambit.verdict/v1.
type Cause struct {
	Cause      diagnosis.Cause      `json:"cause"`
	Confidence diagnosis.Confidence `json:"confidence"`
}

// Beside is what is left to say of a failure beside the view that came with it.
func (f *Failure) Beside() *Failure {
	if f.Rest == "" {
		return f
	}
	left := *f
	left.Message = f.Rest
	return &left
}

// Lines are those of the message, each with the line of a file below it that it is about, where that is
// known and may be shown, within a width.
func (f *Failure) Lines(width int) (lines [][2]string) {
	mistakes, _ := errors.AsType[yamlfile.Mistakes](f.Err)
	for line := range strings.Lines(f.Message) {
		line = strings.TrimSuffix(line, "\n")
		excerpt := ""
		for _, m := range mistakes {
			if excerpt == "" && text.Block(m.Error()) == line {
				excerpt = m.Excerpt(width)
			}
		}
		lines = append(lines, [2]string{line, excerpt})
	}
	return lines
}

// Error is the message.
func (f *Failure) Error() string { return f.Message }

// Unwrap is the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Diagnosed adds why a credential does not do, and what to do about it.
func (f *Failure) Diagnosed(v diagnosis.Verdict) *Failure {
	f.Verdict, f.Diagnosis, f.Hint = &Cause{Cause: v.Cause, Confidence: v.Confidence}, &v, advice.Line(v.Next)
	return f
}

// Place is file:line of a declaration.
func Place(file string, line int) string { return fmt.Sprintf("%s:%d", file, line) }

// At names the setting, or the place, that a failure comes from.
func (f *Failure) At(place string) *Failure {
	f.Message = place + ": " + f.Message
	return f
}
