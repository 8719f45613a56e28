package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/internal/child"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/google/shlex"
)

// The protocol of external programs; docs/stores.md has it for those who write one.
const (
	helperVersion = 1

	opGet        = "get"
	opPut        = "put"
	opSwap       = "swap"
	opDelete     = "delete"
	opProbe      = "probe"
	opLease      = "lease"
	opRenewLease = "renew-lease"
	opRelease    = "release"
	opList       = "list"

	codeNotFound    = "not_found"
	codeChanged     = "changed"
	codeFenced      = "fenced"
	codeHeld        = "held"
	codeTooLarge    = "too_large"
	codeUnsupported = "unsupported"
	codeUnavailable = "unavailable"
)

// A helperRequest is what a program reads from standard input.
type helperRequest struct {
	V       int             `json:"v"`
	Key     *helperKey      `json:"key,omitempty"`
	Record  json.RawMessage `json:"record,omitempty"`
	Version string          `json:"version,omitempty"` // the record that a swap replaces
	Fence   int64           `json:"fence,omitempty"`
	Owner   string          `json:"owner,omitempty"`
	TTL     int64           `json:"ttl_ms,omitempty"`
	Size    int             `json:"size,omitempty"`
}

// A helperKey is a [Key]; ID names it wherever a name is wanted.
type helperKey struct {
	ID       string `json:"id"`
	Issuer   string `json:"issuer"`
	ClientID string `json:"client_id"`
	Manifest string `json:"manifest"`
	Account  string `json:"account,omitempty"`
}

// A helperReply is what a program writes to standard output.
type helperReply struct {
	V       int             `json:"v"`
	OK      bool            `json:"ok"`
	Record  json.RawMessage `json:"record"`
	Version string          `json:"version"`
	Fence   int64           `json:"fence"`
	Keys    []helperKey     `json:"keys"`
	Error   *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

const (
	// helperTimeout bounds a request: a program may have to reach a server far away, and a person
	// waits.
	helperTimeout = 10 * time.Second
	// maxReply bounds what a program may say: a record, or a list of many keys.
	maxReply = maxRecord + 1<<20
	// maxWords bounds what is read of its standard error, maxTold how many lines are told.
	maxWords = 4 << 10
	maxTold  = 20
)

// A HelperError says that the program of an [Exec] did not do what it was asked for. Whether it was
// done is not known, unless Code says more.
type HelperError struct {
	Helper    string // the program's name, as it was set
	Operation string // of the protocol
	// Code is what the program said, "unavailable" for a store that it cannot reach. It is empty
	// where the program could not be run, did not end in time, failed, or said no such thing.
	Code    string
	Problem string
	Err     error // of the system; nil where there is none
}

// Error names the program and the problem.
func (e *HelperError) Error() string {
	if e.Missing() {
		return fmt.Sprintf("the store program %s cannot be run: %s", text.Quote(e.Helper), e.Problem)
	}
	return fmt.Sprintf("the store program %s failed at %q: %s", text.Quote(e.Helper), e.Operation, e.Problem)
}

// Unwrap returns the system's error.
func (e *HelperError) Unwrap() error { return e.Err }

// Missing reports whether there is no such program to run.
func (e *HelperError) Missing() bool { return errors.Is(e.Err, errNoProgram) }

var errNoProgram = errors.New("there is no such program")

func isCode(err error, code string) bool {
	e, ok := errors.AsType[*HelperError](err)
	return ok && e.Code == code
}

func (s *Exec) failed(operation, problem string, err error) *HelperError {
	return &HelperError{Helper: s.program(), Operation: operation, Problem: problem, Err: err}
}

func (s *Exec) invalid(operation, problem string) *HelperError {
	return s.failed(operation, problem, nil)
}

// program is the first word of the command.
func (s *Exec) program() string {
	words, _ := shlex.Split(s.Command)
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

// Check returns why the program cannot be run, as a *[HelperError] that is Missing.
func (s *Exec) Check() error {
	_, err := s.argv("start")
	return err
}

// argv is the program, as an absolute path, and its arguments. What is named relative to the
// current directory is refused: that may be a repository of somebody else's.
func (s *Exec) argv(operation string) ([]string, error) {
	missing := func(problem string) error {
		return s.failed(operation, problem, errNoProgram)
	}
	words, err := shlex.Split(s.Command)
	if err != nil {
		return nil, missing("the command cannot be split into words: " + text.Line(err.Error()))
	}
	if len(words) == 0 || words[0] == "" {
		return nil, missing("exec: has no name after it")
	}
	path := words[0]
	switch {
	case filepath.IsAbs(path):
	case path != filepath.Base(path):
		return nil, missing("a path to it has to be absolute")
	default:
		path, err = exec.LookPath(path)
		if err != nil || !filepath.IsAbs(path) {
			return nil, missing("it is not on PATH")
		}
	}
	if _, err := exec.LookPath(path); err != nil {
		return nil, missing("there is no program at that path")
	}
	return append([]string{path}, words[1:]...), nil
}

// environment is the program's: no key of a service goes there.
func (s *Exec) environment(dir string) []string {
	var env []string
	if s.Env != nil {
		env = slices.Clone(s.Env())
	} else {
		env = slices.DeleteFunc(os.Environ(), func(pair string) bool { return strings.HasPrefix(pair, credential.KeyVariable+"=") })
	}
	return append(env, "PWD="+dir)
}

// ask runs the program for one request. Its working directory is its own, as what lies in ours
// may be somebody else's.
func (s *Exec) ask(ctx context.Context, operation string, request *helperRequest) (reply helperReply, err error) {
	if err := ctx.Err(); err != nil {
		return reply, err
	}
	argv, err := s.argv(operation)
	if err != nil {
		return reply, err
	}
	sent := *request
	sent.V = helperVersion
	input, err := json.Marshal(sent)
	if err != nil {
		return reply, err
	}
	limit := helperTimeout
	if s.Timeout > 0 {
		limit = s.Timeout
	}
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(bounded, argv[0], append(argv[1:], operation)...)
	child.Contain(cmd)
	cmd.Dir = filepath.Dir(argv[0])
	cmd.Env = s.environment(cmd.Dir)
	out, words := &bounding{limit: maxReply, over: cancel}, &bounding{limit: maxWords}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), out, words
	runErr := cmd.Run()
	if errors.Is(runErr, exec.ErrWaitDelay) {
		runErr = nil // it has ended, and left something behind that holds its output
	}
	parseErr := json.Unmarshal(out.kept.Bytes(), &reply)
	remarks := s.remarks(words.kept.Bytes(), append(secretsOf(request.Record), secretsOf(reply.Record)...))
	switch {
	case ctx.Err() != nil && runErr != nil:
		return helperReply{}, context.Cause(ctx)
	case out.exceeded:
		return helperReply{}, s.invalid(operation, fmt.Sprintf("it wrote more than %d bytes", maxReply))
	case bounded.Err() != nil && runErr != nil:
		return helperReply{}, s.failed(operation, fmt.Sprintf("it did not end within %s", limit)+s.reason(remarks), context.DeadlineExceeded)
	case runErr != nil:
		return helperReply{}, s.failed(operation, text.Line(runErr.Error())+s.reason(remarks), runErr)
	case parseErr != nil || reply.V != helperVersion || reply.OK == (reply.Error != nil):
		return helperReply{}, s.invalid(operation, whyInvalid(out.kept.Bytes(), &reply, parseErr)+s.reason(remarks))
	}
	s.tell(remarks)
	if reply.Error != nil {
		e := s.invalid(operation, "")
		e.Code = reply.Error.Code
		e.Problem = s.said(reply.Error.Code, reply.Error.Message, request.Record)
		return helperReply{}, e
	}
	return reply, nil
}

// said is what the program says of a request that it did not do.
func (s *Exec) said(code, message string, record json.RawMessage) string {
	words := s.remarks([]byte(message), secretsOf(record))
	switch {
	case len(words) > 0:
		return words[0]
	case code == codeUnavailable:
		return "it cannot reach its store"
	}
	return "it says " + text.Quote(code)
}

// whyInvalid is what is wrong with an answer; nothing of it is told, as there may be a record in it.
func whyInvalid(out []byte, reply *helperReply, parseErr error) string {
	switch {
	case len(bytes.TrimSpace(out)) == 0:
		return "it wrote no answer"
	case parseErr != nil:
		return "what it wrote is not the JSON of the protocol"
	case reply.V != helperVersion:
		return fmt.Sprintf("it speaks version %d of the protocol, and this ambit version %d", reply.V, helperVersion)
	case reply.OK:
		return `its answer has both "ok": true and an error`
	}
	return `its answer has neither "ok": true nor an error`
}

// remarks are the lines of what a program wrote for people, without secrets.
func (s *Exec) remarks(words []byte, secrets []string) []string {
	if holdsRecord(words) {
		return []string{"(what it wrote about that holds a record, and is left out)"}
	}
	out := string(words)
	for _, secret := range secrets {
		out = strings.ReplaceAll(out, secret, "***")
	}
	var lines []string
	for line := range strings.Lines(out) {
		if line = text.Line(strings.TrimSpace(line)); line != "" && len(lines) < maxTold {
			lines = append(lines, line)
		}
	}
	return lines
}

// reason is the last line, with which programs say why they failed; the lines before it are told.
func (s *Exec) reason(remarks []string) string {
	if len(remarks) == 0 {
		return ""
	}
	last := len(remarks) - 1
	s.tell(remarks[:last])
	return ": " + remarks[last]
}

// tell tells each line once.
func (s *Exec) tell(remarks []string) {
	for _, line := range remarks {
		if _, before := s.told.LoadOrStore(line, true); !before && s.Note != nil {
			s.Note(s.Name() + ": " + line)
		}
	}
}

// A bounding keeps the first bytes that are written to it, and calls over, if that is not nil,
// when there are more. It has no other method of a buffer: a copy would go past the limit.
type bounding struct {
	kept     bytes.Buffer
	limit    int
	over     func()
	exceeded bool
}

// Write takes everything, and keeps what there is room for.
func (b *bounding) Write(p []byte) (int, error) {
	room := b.limit - b.kept.Len()
	b.kept.Write(p[:min(room, len(p))])
	if len(p) > room && !b.exceeded {
		if b.exceeded = true; b.over != nil {
			b.over()
		}
	}
	return len(p), nil
}
