package agent

import (
	"encoding/json"
	"log/slog"
	"time"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// A record is what is written down of a request that was sent on: never a query, a
// body, a name of a thing or a secret.
type record struct {
	Time   time.Time `json:"time"` // when the request came
	Base   string    `json:"base"`
	Method string    `json:"method"`
	Path   string    `json:"path"`           // below the base, identifiers folded into {id}
	Tool   string    `json:"tool,omitempty"` // of MCP, that was called
	Status int       `json:"status"`         // of the server's answer; 0 for none
	Scopes []string  `json:"scopes"`         // declared for the operation, or named by the answer
	Named  []string  `json:"named"`          // those for want of which it was refused, as the diagnosis found
}

// writeDown writes a request into the log, and what was sent on into the record.
func (p *Proxy) writeDown(e event) {
	request := scopes.Operation{Method: e.method, Base: e.base, Path: e.path}
	template := p.needs.Operations().Fold(request).Path
	attrs := []slog.Attr{
		slog.String("base", e.base), slog.String("method", text.Line(e.method)), slog.String("route", text.Line(template)),
		slog.Int("status", e.status), slog.Int64("ms", e.took.Milliseconds()),
	}
	if e.tool != "" {
		attrs = append(attrs, slog.String("tool", text.Line(e.tool)))
	}
	if e.note != "" {
		attrs = append(attrs, slog.String("note", text.Line(e.note)))
	}
	if e.problem != nil {
		attrs = append(attrs, slog.String("error", text.Line(e.problem.Error())))
	}
	line := slog.NewRecord(e.began, slog.LevelInfo, "request", 0) // when it came, as in the record
	line.AddAttrs(attrs...)
	_ = p.log.Handler().Handle(p.ctx, line) // as slog itself does
	if p.cfg.Record == nil || e.note != "" {
		return
	}
	recorded, err := json.Marshal(record{
		Time: e.began.UTC(), Base: e.base, Method: e.method, Path: template, Tool: e.tool, Status: e.status, Scopes: p.connected(e), Named: append([]string{}, e.named...),
	})
	if err == nil {
		_, err = p.cfg.Record.Write(append(recorded, '\n'))
	}
	if err != nil {
		p.log.Error("not recorded", "error", text.Line(err.Error()))
	}
}

// connected are the scopes that the manifest or the answer connects to a request.
func (p *Proxy) connected(e event) []string {
	var list []string
	called := scopes.Operation{Method: e.method, Base: e.base, Path: e.path}
	if e.tool != "" {
		called = scopes.Operation{Tool: e.tool}
	}
	for _, need := range p.needs.For(called) {
		list = append(list, need.AnyOf...)
	}
	return scopes.NewSet(append(list, e.named...)...).Slice()
}

// logStart writes what is lent, and to where.
func (p *Proxy) logStart() {
	grant := p.credential().Grant
	p.log.Info("lent", "agent", p.cfg.Agent.Name, "kind", grant.Kind, "credential", grant.Prefix,
		"known_by", grant.KnownBy, "server", p.cfg.Server.Name, "bases", p.cfg.Server.Bases)
	p.rescan()
	p.log.Info("scan", "conflicts", p.conflicts.list())
}
