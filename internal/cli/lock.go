package cli

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

func lockPath(file string) string { return filepath.Join(filepath.Dir(file), manifest.LockName) }

// readLock reads the lock file; nil where there is none, which is a mistake only
// where it must be there.
func readLock(p *ambit.Session, must bool) (*manifest.Lock, error) {
	path := lockPath(p.Manifest().File)
	source, err := yamlfile.Read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !must:
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fail(exitUsage, "there is no "+path, "write it with: "+lockAgain(p))
	case err != nil:
		return nil, fail(exitUsage, err.Error(), "")
	}
	lock, err := manifest.DecodeLock(path, source)
	if err != nil {
		return nil, &view.Failure{Code: exitUsage, Message: text.Block(err.Error()), Hint: "write it anew with: " + lockAgain(p), Err: err}
	}
	return lock, nil
}

// lockAgain is the command that writes the lock file.
func lockAgain(p *ambit.Session) string { return inProject("ambit plan --lock", p) }

func lookThenLock(p *ambit.Session) string { return "look at what changed, then: " + lockAgain(p) }

// writeLock records what was negotiated, and says what became of the file: one that
// holds this already is not touched. Where nobody chose a server, the one at which a
// key would be checked is recorded too.
func writeLock(ctx context.Context, s *ambit.Session, plan *ambit.Plan, old *manifest.Lock) (told string, err error) {
	if old == nil {
		old = &manifest.Lock{}
	}
	lock := plan.RecordIn(old)
	server := s.Server()
	if other := s.KeyServer(); other.Issuer != server.Issuer {
		there, err := s.At(other).Plan(ctx)
		if err != nil {
			return "", failureOf(s, err)
		}
		lock = there.RecordIn(lock)
	}
	path, fresh := lockPath(s.Manifest().File), lock.Bytes()
	if before, err := yamlfile.Read(path); err == nil && bytes.Equal(before, fresh) {
		return path + " is up to date", nil
	}
	if err := files.Update(path, fresh); err != nil {
		return "", failWith(exitUsage, err, "")
	}
	return "wrote " + path, nil
}
