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
func readLock(p *project, must bool) (*manifest.Lock, error) {
	path := lockPath(p.manifest.File)
	text, err := yamlfile.Read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !must:
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fail(exitUsage, "there is no "+path, "write it with: "+lockAgain(p))
	case err != nil:
		return nil, fail(exitUsage, err.Error(), "")
	}
	lock, err := manifest.DecodeLock(path, text)
	if err != nil {
		return nil, &failure{Code: exitUsage, Message: plainLines(err.Error()), Hint: "write it anew with: " + lockAgain(p), Err: err}
	}
	return lock, nil
}

// lockAgain is the command that writes the lock file.
func lockAgain(p *project) string { return inProject("ambit plan --lock", p) }

func lookThenLock(p *project) string { return "look at what changed, then: " + lockAgain(p) }

// writeLock records what was negotiated, and says what became of the file: one that
// holds this already is not touched. Where nobody chose a server, the one at which a
// key would be checked is recorded too.
func (r *run) writeLock(ctx context.Context, p *project, n *negotiation, old *manifest.Lock) (told string, err error) {
	if old == nil {
		old = &manifest.Lock{}
	}
	lock := n.recordIn(old)
	if other := p.withAPI(); other.Issuer != p.server.Issuer {
		at := *p
		at.server = other
		there, err := r.negotiate(ctx, &at)
		if err != nil {
			return "", err
		}
		lock = there.recordIn(lock)
	}
	path, fresh := lockPath(p.manifest.File), lock.Bytes()
	if before, err := yamlfile.Read(path); err == nil && bytes.Equal(before, fresh) {
		return path + " is up to date", nil
	}
	if err := files.Update(path, fresh); err != nil {
		return "", fail(exitUsage, plain(err.Error()), "")
	}
	return "wrote " + path, nil
}

func (n *negotiation) recordIn(lock *manifest.Lock) *manifest.Lock {
	return lock.With(n.plan.Server.Issuer, n.question.Server, manifest.Digest(n.whole()))
}

// A driftReport is how a server and the manifest differ from the lock file.
type driftReport struct {
	list    []scopes.Drift
	known   []string // what the server advertises now, for words that were likely meant
	changed bool     // the negotiation comes out otherwise: the manifest changed, or the server
	unknown string   // the issuer, where the lock file does not record it: nothing can be compared
}

func (d driftReport) any() bool { return len(d.list) > 0 || d.changed || d.unknown != "" }

// drift compares with the lock file what the server says now.
func (r *run) drift(ctx context.Context, p *project, lock *manifest.Lock) (driftReport, error) {
	n, err := r.negotiate(ctx, p)
	if err != nil {
		return driftReport{}, err
	}
	return n.drift(lock), nil
}

// drift compares with the lock file what was negotiated.
func (n *negotiation) drift(lock *manifest.Lock) driftReport {
	issuer := n.plan.Server.Issuer
	recorded, ok := lock.Negotiated(issuer)
	if !ok {
		return driftReport{unknown: issuer}
	}
	return driftReport{
		list: lock.Drift(issuer, n.question.Server), known: n.question.Server.Scopes.Slice(), changed: recorded != manifest.Digest(n.whole()),
	}
}

// whole is the negotiation of the manifest with all its programs, whichever were
// chosen in this run: the lock file speaks for the file.
func (n *negotiation) whole() scopes.Plan {
	q := n.question
	q.Needs = n.all
	return scopes.Negotiate(q)
}

// words tells a drift in a sentence: each vanished scope by name, new ones counted.
func (d driftReport) words() string {
	var words []string
	added := 0
	for _, one := range d.list {
		if one.Kind == manifest.DriftNew {
			added++
			continue
		}
		gone := one.Scope + " vanished"
		if near := text.Near(one.Scope, d.known); len(near) > 0 {
			gone += " (near: " + strings.Join(near, ", ") + ")"
		}
		words = append(words, gone)
	}
	if added > 0 {
		words = append(words, count(added, "new scope"))
	}
	if d.changed && len(d.list) == 0 {
		words = append(words, "the manifest asks for something else")
	}
	if d.unknown != "" {
		words = append(words, d.unknown+" is not recorded")
	}
	return strings.Join(words, "; ")
}

const driftVanished = "drift_vanished"

// findings puts a drift on the lines of the manifest: a vanished scope where it is
// declared, the rest on the first line.
func (d driftReport) findings(file string, needs []scopes.Need, fails bool) []finding {
	var list []finding
	added := 0
	for _, one := range d.list {
		if one.Kind == manifest.DriftNew {
			added++
			continue
		}
		f := finding{Rule: driftVanished, Level: failsIf(fails), File: file, Line: 1, Scope: one.Scope, Message: "the server has stopped to advertise " + one.Scope}
		if near := text.Near(one.Scope, d.known); len(near) > 0 {
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
		list = append(list, finding{Rule: "drift_new", Level: notice, File: file, Line: 1, Message: fmt.Sprintf("the server advertises %s more than %s records", count(added, "scope"), lockName)})
	}
	if d.unknown != "" {
		list = append(list, finding{Rule: "drift_unknown", Level: failsIf(fails), File: file, Line: 1, Message: lockName + " does not record " + d.unknown})
	}
	if d.changed && len(d.list) == 0 {
		list = append(list, finding{Rule: "drift_manifest", Level: failsIf(fails), File: file, Line: 1, Message: "the manifest asks for something else than " + lockName + " records"})
	}
	return list
}
