package cli

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ambit-auth/ambit/internal/text"
)

// keptLogs is how many logs of runs stay: those of some days of work.
const keptLogs = 20

// A runLog is the log of one run: a file of its own, readable by the user alone. Its
// zero value logs nothing.
type runLog struct {
	path    string
	handler slog.Handler
	file    *os.File
}

// openRunLog begins the log of this run, and removes the oldest.
func (l *lending) openRunLog() *runLog {
	dir := filepath.Join(l.env.StateDir(), "runs")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		l.console.Note("no log is kept: %s", text.Printable(err.Error()))
		return &runLog{}
	}
	f, err := os.CreateTemp(dir, time.Now().UTC().Format("20060102T150405.000")+"-*.jsonl") // 0600
	if err != nil {
		l.console.Note("no log is kept: %s", text.Printable(err.Error()))
		return &runLog{}
	}
	removeOldest(dir)
	return &runLog{path: f.Name(), handler: slog.NewJSONHandler(f, nil), file: f}
}

// start writes down what is lent to whom.
func (g *runLog) start(l *lending) {
	if g.handler == nil {
		return
	}
	c := l.held.Credential.Grant
	slog.New(g.handler).Info("start", "credential", c.Kind, "prefix", c.Prefix, "server", l.held.Server.Name,
		"agent", l.profile.Name, "conflicts", len(l.conflicts))
}

// failed writes down why nothing was started.
func (g *runLog) failed(err error) {
	if g.handler != nil {
		slog.New(g.handler).Error("not started", "why", text.Printable(asFailure(err).Message))
	}
}

// removeOldest keeps the newest logs. Their names begin with the time, so they sort.
func removeOldest(dir string) {
	files, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	slices.Sort(files)
	for len(files) > keptLogs {
		os.Remove(files[0])
		files = files[1:]
	}
}

func (g *runLog) close() {
	if g.file != nil {
		g.file.Close()
	}
}
