package agent

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/oauth/credential"
)

// maxTold bounds how many verdicts of one run are told: an agent that tries a thousand
// things gets one refusal each.
const maxTold = 100

// A teller tells each cause and scope once.
type teller struct {
	onVerdict  func(diagnosis.Verdict)
	onConflict func(profile.Conflict)

	telling sync.Mutex // held while somebody is told, so that the order is that of the list

	mu        sync.Mutex
	told      []diagnosis.Verdict
	known     map[string]bool
	conflicts []profile.Conflict // of the last scan
	dropped   []profile.Conflict // what came beside the lease
	scannedAt time.Time

	asking  chan struct{} // holds one: whoever asks servers may read and write what follows
	asked   *credential.Credential
	askedAt time.Time
	inquiry credential.Inquiry
}

func newTeller(onVerdict func(diagnosis.Verdict), onConflict func(profile.Conflict)) *teller {
	return &teller{onVerdict: onVerdict, onConflict: onConflict, known: make(map[string]bool), asking: make(chan struct{}, 1)}
}

// tell tells a verdict, unless all of it was told.
func (p *Proxy) tell(v diagnosis.Verdict) {
	t := p.teller
	p.log.Warn("refused", "status", v.Status, "base", v.Base, "method", v.Method, "cause", v.Cause, "confidence", v.Confidence,
		"missing", v.Missing, "conflicts", v.Conflicts)
	t.telling.Lock()
	defer t.telling.Unlock()
	if t.add(v) && t.onVerdict != nil {
		t.onVerdict(v)
	}
}

// add notes a verdict, if there is news in it.
func (t *teller) add(v diagnosis.Verdict) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.news(v) || len(t.told) >= maxTold {
		return false
	}
	t.told = append(t.told, v)
	return true
}

// news reports whether some of the verdict's causes and scopes are new.
func (t *teller) news(v diagnosis.Verdict) bool {
	keys := make([]string, 0, len(v.Missing)+1)
	for _, scope := range v.Missing {
		keys = append(keys, string(v.Cause)+" "+scope)
	}
	switch {
	case len(keys) > 0:
	case v.Cause == diagnosis.CauseUnknown:
		keys = append(keys, string(v.Cause)+" "+v.Base+" "+strconv.Itoa(v.Status))
	default:
		keys = append(keys, string(v.Cause)+" "+v.Message)
	}
	found := false
	for _, key := range keys {
		found = found || !t.known[key]
		t.known[key] = true
	}
	return found
}

// verdicts lists what was told: the first that decides a run before the others.
func (t *teller) verdicts() []diagnosis.Verdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := slices.Clone(t.told)
	if at := slices.IndexFunc(list, diagnosis.Verdict.Decides); at > 0 {
		decides := list[at]
		list = slices.Insert(slices.Delete(list, at, at+1), 0, decides)
	}
	return list
}

// scanAgain is the least time between two scans: an agent can be refused a thousand
// times a second.
const scanAgain = time.Second

// rescan looks for conflicts as they are now.
func (p *Proxy) rescan() {
	t := p.teller
	t.mu.Lock()
	defer t.mu.Unlock()
	now := p.cfg.Now()
	if p.cfg.Rescan == nil || !t.scannedAt.IsZero() && now.Sub(t.scannedAt) < scanAgain {
		return
	}
	t.scannedAt, t.conflicts = now, p.cfg.Rescan()
}

// scanned is what is in the way: by the last scan, and by what requests carried.
func (t *teller) scanned() []profile.Conflict {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Concat(t.conflicts, t.dropped)
}

// SourceRequest is the source of a [Conflict] that a request itself showed.
const SourceRequest = "request"

// beside tells, once for each set of fields, that a credential came beside the lease.
func (p *Proxy) beside(fields []string) {
	if len(fields) == 0 {
		return
	}
	t := p.teller
	t.telling.Lock()
	defer t.telling.Unlock()
	c := profile.Conflict{
		Path: "request", Source: SourceRequest, Keys: fields,
		Advice: "nothing has to be done: it is left out, and the lent credential is sent",
	}
	if !t.drop(c) {
		return
	}
	p.log.Warn("another credential came beside the lease and was dropped", "fields", fields)
	if t.onConflict != nil {
		t.onConflict(c)
	}
}

// drop notes what came beside the lease, if it is new.
func (t *teller) drop(c profile.Conflict) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := "beside " + strings.Join(c.Keys, " ")
	if t.known[key] {
		return false
	}
	t.known[key] = true
	t.dropped = append(t.dropped, c)
	return true
}
