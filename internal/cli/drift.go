package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// lockName is the file beside the manifest in which "plan --lock" records what the
// servers advertised.
const lockName = "scopes.lock"

func lockPath(manifest string) string { return filepath.Join(filepath.Dir(manifest), lockName) }

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
		return nil, &failure{Code: exitUsage, Message: text.Block(err.Error()), Hint: "write it anew with: " + lockAgain(p), Err: err}
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
	server, _ := s.Server()
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

// driftWords tells a drift in a sentence: each vanished scope by name, new ones counted.
func driftWords(d ambit.Drift) string {
	var words []string
	added := 0
	for _, one := range d.Scopes {
		if one.Kind == manifest.DriftNew {
			added++
			continue
		}
		gone := one.Scope + " vanished"
		if near := text.Near(one.Scope, d.Advertised.Slice()); len(near) > 0 {
			gone += " (near: " + strings.Join(near, ", ") + ")"
		}
		words = append(words, gone)
	}
	if added > 0 {
		words = append(words, text.Count(added, "new scope"))
	}
	if d.Changed && len(d.Scopes) == 0 {
		words = append(words, "the manifest asks for something else")
	}
	if d.Unrecorded != "" {
		words = append(words, d.Unrecorded+" is not recorded")
	}
	return strings.Join(words, "; ")
}

const driftVanished = "drift_vanished"

// driftFindings puts a drift on the lines of the manifest: a vanished scope where it is
// declared, the rest on the first line.
func driftFindings(d ambit.Drift, file string, needs []scopes.Need, fails bool) []finding {
	var list []finding
	added := 0
	for _, one := range d.Scopes {
		if one.Kind == manifest.DriftNew {
			added++
			continue
		}
		f := finding{Rule: driftVanished, Level: failsIf(fails), File: file, Line: 1, Scope: one.Scope, Message: "the server no longer advertises " + one.Scope}
		if near := text.Near(one.Scope, d.Advertised.Slice()); len(near) > 0 {
			f.Message += "; near: " + strings.Join(near, ", ")
		}
		for _, e := range needs {
			if slices.Contains(e.AnyOf, one.Scope) {
				f.File, f.Line, f.Column = e.File, e.Line, e.Column
				if e.Level == scopes.Required && !e.Unadvertised {
					f.Level = mistake
				}
			}
		}
		list = append(list, f)
	}
	if added > 0 {
		list = append(list, finding{Rule: "drift_new", Level: notice, File: file, Line: 1, Message: fmt.Sprintf("the server advertises %s more than %s records", text.Count(added, "scope"), lockName)})
	}
	if d.Unrecorded != "" {
		list = append(list, finding{Rule: "drift_unknown", Level: failsIf(fails), File: file, Line: 1, Message: lockName + " does not record " + d.Unrecorded})
	}
	if d.Changed && len(d.Scopes) == 0 {
		list = append(list, finding{Rule: "drift_manifest", Level: failsIf(fails), File: file, Line: 1, Message: "the manifest asks for something else than " + lockName + " records"})
	}
	return list
}
