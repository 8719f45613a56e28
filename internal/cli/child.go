package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/child"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
)

const osName = runtime.GOOS

func now() time.Time { return time.Now() }

// child starts the proxy and the agent behind it, and waits for the agent's end.
func (l *lending) child(ctx context.Context) (code int, err error) {
	trust, err := l.trust(ctx, l.project)
	if err != nil {
		return 0, err
	}
	transport, err := agent.NewTransport(guard.Options{CAFile: l.settings.CAFile})
	if err != nil {
		return 0, metadataFailure(err)
	}
	record, err := openRecord(l.flags.record)
	if err != nil {
		return 0, err
	}
	defer record.Close()
	ctx, l.stop = context.WithCancel(ctx)
	defer l.stop()
	l.proxy, err = agent.Start(context.WithoutCancel(ctx), agent.Config{
		Provider: l.project.provider(), Agent: l.profile, Server: l.held.server, Needs: l.project.needs,
		Source: &source{l}, Transport: trust.Guard(transport), Ask: l.ask, Rescan: l.scan,
		OnVerdict: l.told, OnConflict: func(c profile.Conflict) { l.voice.note("%s", besideLine(c)) },
		Log: l.log.handler, LogPath: l.log.path, Login: loginAgain(l.project), Record: record,
	})
	if err != nil {
		return 0, credentialFailure(l.project, err)
	}
	defer l.proxy.Close()
	defer l.closePipes()
	defer l.cleanUp()
	command, err := l.command()
	if err != nil {
		return 0, err
	}
	code, err = command.Run(ctx)
	if start, ok := is[*child.StartError](err); ok {
		return 0, failWith(exitUsage, start, "")
	}
	if errors.Is(err, context.Canceled) {
		err = nil // it was ended: by a verdict, or by Ctrl-C, which the code tells
	}
	return code, err
}

func besideLine(c profile.Conflict) string {
	text := "another credential came beside the lent one, and was dropped: " + plain(strings.Join(c.Keys, ", "))
	if c.Advice != "" {
		text += "; " + plain(c.Advice)
	}
	return text
}

// command is the agent's command line and environment, rebuilt so that it uses what
// it is lent.
func (l *lending) command() (child.Command, error) {
	terms := l.proxy.Terms()
	env, err := l.profile.Environment(l.env, l.project.provider(), terms)
	if err != nil {
		return child.Command{}, fail(exitUsage, plain(err.Error()), "name a server that has this base: --server")
	}
	args, err := l.override(terms)
	if err != nil {
		return child.Command{}, err
	}
	return child.Command{Args: args, Env: env, In: inputOf(l.Stdin), Out: l.fileOf(l.Stdout), Err: l.fileOf(l.Stderr)}, nil
}

// override puts what it takes on the command line, so that the agent prefers what it is
// lent over settings of its own, and says so. What still overrides it is told too.
func (l *lending) override(terms profile.Terms) ([]string, error) {
	folder, err := temporaryFolder("ambit-run-") // 0700: the file in it holds the lease
	if err != nil {
		return nil, err
	}
	l.folder = folder
	file := filepath.Join(folder, "settings.json")
	precedence, err := l.profile.Override(l.args, l.conflicts, terms, file)
	if err != nil {
		return nil, err
	}
	args := l.args
	if len(precedence.Arguments) > 0 {
		args = append(append([]string{args[0]}, precedence.Arguments...), args[1:]...)
		l.conflicts = precedence.Conflicts
	}
	l.tellConflicts()
	if precedence.File == "" {
		return args, nil
	}
	return args, os.WriteFile(file, []byte(precedence.File), 0o600)
}

// cleanUp removes what the child was given to read.
func (l *lending) cleanUp() {
	if l.folder != "" {
		os.RemoveAll(l.folder)
	}
}

// fileOf is a stream as the file that a child can have. Behind any other writer stands
// a pipe, which is emptied until the child is gone; copied waits for that.
func (l *lending) fileOf(stream io.Writer) *os.File {
	if f, ok := stream.(*os.File); ok {
		return f
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil
	}
	l.pipes = append(l.pipes, write)
	l.copied.Go(func() {
		io.Copy(stream, read)
		read.Close()
	})
	return write
}

// inputOf is standard input where that is a file; a child gets no other kind.
func inputOf(stream io.Reader) *os.File {
	f, _ := stream.(*os.File)
	return f
}

// closePipes waits for the last words of the child.
func (l *lending) closePipes() {
	for _, p := range l.pipes {
		p.Close()
	}
	l.copied.Wait()
}

// A source lends the credential of a run, and renews a stored one.
type source struct{ l *lending }

// renewBefore is how long before its end a lent credential is renewed: longer than a
// request takes to leave.
const renewBefore = time.Minute

// Current implements [agent.Source].
func (s *source) Current(ctx context.Context) (*credential.Credential, error) {
	if s.l.held.stored == nil {
		return s.l.held.credential, nil
	}
	renewer, err := s.l.renewer(s.l.project, s.l.held.stored, s.l.held.client)
	if err != nil {
		return nil, err
	}
	c, err := renewer.Valid(ctx, renewBefore)
	return s.lent(c, err)
}

// Renew implements [agent.Source].
func (s *source) Renew(ctx context.Context, stale *credential.Credential) (*credential.Credential, error) {
	if s.l.held.stored == nil {
		return nil, store.ErrNotFound
	}
	renewer, err := s.l.renewer(s.l.project, s.l.held.stored, s.l.held.client)
	if err != nil {
		return nil, err
	}
	c, err := renewer.Force(ctx, stale.Access)
	return s.lent(c, err)
}

// lent is a stored credential. What the server said of it at the start counts as long as
// it is the same one.
func (s *source) lent(c *credential.Credential, err error) (*credential.Credential, error) {
	if c == nil || !c.Same(s.l.held.credential) {
		return c, err
	}
	return c.Holding(s.l.held.credential.Grant), err
}

// ask asks servers about a refused credential.
func (l *lending) ask(ctx context.Context, refused *credential.Credential) credential.Inquiry {
	inspector, err := l.inspector(l.project, l.held.server, l.held.client)
	if err != nil {
		return nil
	}
	return inspector.Inquire(ctx, refused)
}

// openRecord opens the file of --record; nothing is written where none is named.
func openRecord(path string) (io.WriteCloser, error) {
	if path == "" {
		return nowhere{}, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fail(exitUsage, plain(err.Error()), "")
	}
	return f, nil
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) Close() error                { return nil }

func writeReport(path string, report *runReport) error {
	text, err := json.MarshalIndent(report, "", "  ")
	if err == nil {
		err = writeFile(path, append(text, '\n'))
	}
	if err != nil {
		return fail(exitUsage, "the report cannot be written: "+plain(err.Error()), "")
	}
	return nil
}
