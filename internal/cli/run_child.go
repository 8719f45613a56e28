package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/child"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes/provider"
)

const osName = runtime.GOOS

func now() time.Time { return time.Now() }

// child starts the proxy and the agent behind it, and waits for the agent's end.
func (l *lending) child(ctx context.Context) (end diagnosis.Ending, err error) {
	trust, err := l.session.Trust(ctx)
	if err != nil {
		return end, failure.Of(l.session, err)
	}
	transport, err := agent.NewTransport(guard.Options{CAFile: l.settings.CAFile})
	if err != nil {
		return end, failure.OfServer(err)
	}
	record, err := openRecord(l.flags.record)
	if err != nil {
		return end, err
	}
	defer record.Close()
	ctx, l.stop = context.WithCancel(ctx)
	defer l.stop()
	l.lent = &source{held: *l.held}
	l.proxy, err = agent.Start(context.WithoutCancel(ctx), agent.Config{
		Provider: l.session.Provider(), Agent: l.profile, Server: l.held.Server, Needs: l.session.Needs(), Advertised: l.session.Advertised(l.held.Server),
		Source: l.lent, Transport: trust.Guard(transport), Ask: l.lent.inquire, StepUp: l.stepUpper(), Rescan: l.scan,
		OnVerdict: l.told, OnConflict: func(c profile.Conflict) { l.console.Note("%s", besideLine(c)) },
		OnNote: func(note string) { l.console.Note("%s", text.Printable(note)) },
		Log:    l.log.handler, LogPath: l.log.path, Run: failure.Invocation(l.session.For(l.held)), Unattended: l.unattended(), Withheld: failure.Withheld(l.held, l.session.Needs()), Record: record,
	})
	if err != nil {
		return end, l.unusable(l.failure(l.session, err))
	}
	l.telling.Store(l.proxy)
	defer l.proxy.Close()
	defer l.closePipes()
	defer l.cleanUp()
	command, err := l.command()
	if err != nil {
		return end, err
	}
	l.leaveSignals()
	_ = child.Hide() // where that is forbidden the child can do what any program of the user can
	started := now()
	end.Code, err = l.onScreen(ctx, command)
	end.After = now().Sub(started)
	if start, ok := errors.AsType[*child.StartError](err); ok {
		return end, failure.From(failure.ExitUsage, start, "")
	}
	if errors.Is(err, context.Canceled) {
		err = nil // it was ended: by a verdict, or by Ctrl-C, which the code tells
	}
	return end, err
}

// onScreen runs the child. On a terminal that someone watches the screen is the child's alone:
// its own error line names the cause, and what we say follows when it has ended.
func (l *lending) onScreen(ctx context.Context, command child.Command) (code int, err error) {
	if l.lendsScreen() {
		l.console.Hold()
		defer l.console.Release()
	}
	return command.Run(ctx)
}

// lendsScreen reports whether the child has a terminal for itself.
func (l *lending) lendsScreen() bool { return l.console.Live && !l.env.InCI() }

func besideLine(c profile.Conflict) string {
	return "another credential may have come with the lease, and was dropped: " + text.Printable(strings.Join(c.Keys, ", "))
}

// command is the agent's command line and environment, rebuilt so that it uses what
// it is lent.
func (l *lending) command() (child.Command, error) {
	terms := l.proxy.Terms()
	env, err := l.profile.Environment(l.env, l.session.Provider(), terms)
	if err != nil {
		return child.Command{}, failure.New(failure.ExitUsage, text.Printable(err.Error()), "name a server that has this base: --server")
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
	directory, err := temporaryDirectory("ambit-run-") // 0700: the file in it holds the lease
	if err != nil {
		return nil, err
	}
	l.directory = directory
	file := filepath.Join(directory, "settings.json")
	precedence, err := l.profile.Override(l.line, l.conflicts, terms, file)
	if err != nil {
		return nil, err
	}
	if precedence.Homeless {
		l.console.Note("%s takes its server from its arguments, and ambit can put none into this command: start it directly, after --", text.Printable(l.profile.Label))
	}
	args := l.args
	if len(precedence.Arguments) > 0 {
		args = slices.Insert(slices.Clone(args), precedence.At, precedence.Arguments...)
		l.conflicts = precedence.Conflicts
		l.overrides.Store(true)
	}
	l.tellConflicts()
	if precedence.File == "" {
		return args, nil
	}
	return args, os.WriteFile(file, []byte(precedence.File), 0o600)
}

// cleanUp removes what the child was given to read.
func (l *lending) cleanUp() {
	if l.directory != "" {
		os.RemoveAll(l.directory)
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

// hostsOf are those of the bases of a provider's servers.
func hostsOf(p *provider.Provider) (hosts []string) {
	for _, server := range p.Servers {
		for _, base := range server.Bases {
			hosts = append(hosts, provider.HostOf(base.URL))
		}
	}
	return hosts
}

// scanPlace is where a scan looks on this machine.
func scanPlace(env settings.Environment, project string) profile.Place {
	return profile.Place{Files: profile.Disk{}, Home: env.Get("HOME"), Project: filepath.ToSlash(project), OS: osName, Environ: env}
}

// A source lends the credential of a run, and renews a stored one.
type source struct {
	mu   sync.Mutex
	held ambit.Held
}

// Current implements [agent.Source].
func (s *source) Current(ctx context.Context) (*credential.Credential, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.renewed(s.held.Refresh(ctx, credential.RenewAhead))
}

// Renew implements [agent.Source].
func (s *source) Renew(ctx context.Context, _ *credential.Credential) (*credential.Credential, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.held.IsLogin() {
		return nil, ambit.ErrNoCredential
	}
	return s.renewed(s.held.Renew(ctx))
}

// renewed is the credential after a renewal. Where that failed, and the old one still lives,
// it is both.
func (s *source) renewed(err error) (*credential.Credential, error) {
	if err != nil && !s.held.Credential.LivesAt(time.Now()) {
		return nil, err
	}
	return s.held.Credential, err
}

// now is the credential that is lent.
func (s *source) now() *credential.Credential {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held.Credential
}

// replace lends another login from now on.
func (s *source) replace(h *ambit.Held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = *h
}

// inquire asks servers about a refused credential.
func (s *source) inquire(ctx context.Context, _ *credential.Credential) credential.Inquiry {
	s.mu.Lock()
	h := s.held
	s.mu.Unlock()
	return h.Inquire(ctx)
}

// openRecord opens the file of --record; nothing is written where none is named.
func openRecord(path string) (io.WriteCloser, error) {
	if path == "" {
		return nowhere{}, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, failure.New(failure.ExitUsage, text.Printable(err.Error()), "")
	}
	return f, nil
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) Close() error                { return nil }
