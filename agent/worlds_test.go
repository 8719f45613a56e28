package agent_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// In each of these worlds a server refuses a request for a cause that the world knows. What it
// holds against the credential, in which order, and how it says so is written from RFC 6749,
// RFC 6750, RFC 9110 and what services were seen to do; the proxy sees what it would see of
// it, and its verdict is compared with the truth.
//
// Four things are taken as true in every world. What the manifest declares for an operation is
// required there. A server that names a scope which the credential lacks does require it. A
// credential that an authorization server gave never gains a scope (RFC 6749 §6), and is used at the server that gave it. Voices that say
// what is not true are a third as frequent as others.
func TestWorlds(t *testing.T) {
	worlds, seed := 100_000, uint64(1)
	if raceDetector || testing.Short() {
		worlds = 5_000
	}
	if text := os.Getenv("AMBIT_TEST_WORLDS"); text != "" { // how many, and from where they begin
		if _, err := fmt.Sscanf(text, "%d %d", &worlds, &seed); err != nil {
			t.Fatal(err)
		}
	}
	all := newTally()
	base := agent.Config{
		Provider: agenttest.Provider(t), Agent: agenttest.Profile(t, "claude-code"), Server: serverAt("http://us.example"), Needs: agenttest.Needs(t), Now: agenttest.Noon,
	}
	var group sync.WaitGroup
	const parts = 8
	for part := range uint64(parts) {
		group.Go(func() {
			random := rand.New(rand.NewPCG(seed, part))
			for range worlds / parts {
				w := newWorld(random)
				w.play(t, base, all.add)
			}
		})
	}
	group.Wait()
	all.judge(t)
}

// A world is what is true, and how much of it can be seen.
type world struct {
	operation   operation
	credential  issued // that is lent at first
	renewed     issued // that a renewal would give
	kind        scopes.Kind
	login       bool // the credential came of a login, and was not handed over as a key
	unattended  bool
	renewal     renewal
	seen        seenGrant
	inspectable map[string]credential.Standing // by server: "" where it answers, else what becomes of the question
	userinfo    bool                           // servers say only whether they accept a credential
	obstacle    obstacle                       // that is in the way of a credential with every scope
	voice       voice
	choice      int // among the ways in which the voice puts it
	next        operation
	later       scopes.Set // that the credential holds at the second request: its owner may have changed it
	second      bool       // this is about the second request, with the credential that the first one ended with
	now         time.Time
}

// An operation is one that a program calls.
type operation struct {
	method, base, path, tool string
	requires                 []string
}

// declared reports whether the manifest has it.
func (o operation) declared() bool { return o.path != undeclared && o.tool != undeclaredTool }

// body is what a request for it sends.
func (o operation) body() string {
	if o.tool == "" {
		return ""
	}
	return rpc("tools/call", fmt.Sprintf(`{"name":%q}`, o.tool))
}

// Of these the manifest says nothing.
const (
	undeclared     = "/api/projects/1/flags/"
	undeclaredTool = "flag-list"
)

var operations = []operation{
	{"POST", "gateway", "/v1/messages", "", []string{"llm_gateway:read"}},
	{"GET", "api", "/api/users/@me/", "", []string{"user:read"}},
	{"POST", "api", "/api/projects/1/query/", "", []string{"query:read"}},
	{"POST", "api", "/api/projects/1/notebooks/", "", []string{"notebook:write"}},
	{"GET", "api", undeclared, "", []string{"feature_flag:read"}},
	{"POST", "mcp", "", "notebook-edit", []string{"notebook:write"}},
	{"POST", "mcp", "", undeclaredTool, []string{"feature_flag:read"}},
}

// An issued credential is one as its server has it.
type issued struct {
	bearer  string
	home    string // the server that knows it; "" for none
	expired bool
	held    scopes.Set
}

// A seenGrant is what was known before the request.
type seenGrant struct {
	by     scopes.KnownBy // "" for nothing
	scopes scopes.Set
	ends   bool // its end was said
}

type renewal string

const (
	renewalNone  renewal = ""
	renewalWorks renewal = "works"
	renewalIll   renewal = "the token endpoint is ill"
	renewalLost  renewal = "invalid_grant"
)

// An obstacle is what no scope cures.
type obstacle string

const (
	obstacleNone   obstacle = ""
	obstacleRole   obstacle = "role"
	obstaclePlan   obstacle = "plan"
	obstacleShared obstacle = "not shared"
	obstacleGone   obstacle = "no such tool"
	obstacleFront  obstacle = "something in front of the server"
)

// A fate is how a request ends.
type fate struct {
	cause   diagnosis.Cause // "" where it succeeds
	lacking []string
}

// holds reports whether a scope is held, as the provider's facts have it.
func holds(held scopes.Set, scope string) bool {
	resource, reads := strings.CutSuffix(scope, ":read")
	return held.Has(scope) || held.Has("*") || reads && held.Has(resource+":write")
}

// fate is what becomes of a request with a credential: who it is comes before what it may do
// (RFC 9110 §15.5.2, §15.5.4), and what it may do before everything else.
func (w *world) fate(c issued) fate {
	switch {
	case w.kind == "project_key" || w.kind == "project_secret_key" && w.operation.base == "gateway": // whatever else
		return fate{cause: diagnosis.CauseWrongCredentialKind}
	case w.obstacle == obstacleFront:
		return fate{cause: diagnosis.CauseNotAScopeProblem}
	case c.expired:
		return fate{cause: diagnosis.CauseExpired}
	case c.home == "":
		return fate{cause: diagnosis.CauseRejected}
	case c.home != "us":
		return fate{cause: diagnosis.CauseWrongServer}
	}
	var lacking []string
	for _, scope := range w.operation.requires {
		if !holds(c.held, scope) {
			lacking = append(lacking, scope)
		}
	}
	switch {
	case len(lacking) > 0:
		return fate{diagnosis.CauseMissingScope, lacking}
	case w.obstacle != obstacleNone:
		return fate{cause: diagnosis.CauseNotAScopeProblem}
	}
	return fate{}
}

var everyScope = []string{"llm_gateway:read", "user:read", "query:read", "notebook:write", "cohort:read", "feature_flag:read"}

// someScopes are most of them, each as it is, as the write that covers it, or all by a star.
func someScopes(r *rand.Rand) scopes.Set {
	if r.IntN(12) == 0 {
		return scopes.NewSet("*")
	}
	var held []string
	for _, scope := range everyScope {
		switch n := r.IntN(10); {
		case n < 6:
			held = append(held, scope)
		case n == 6:
			held = append(held, strings.Replace(scope, ":read", ":write", 1))
		}
	}
	return scopes.NewSet(held...)
}

// without is the same but for one scope; with has one more.
func without(r *rand.Rand, held scopes.Set) scopes.Set {
	list := held.Slice()
	if len(list) == 0 {
		return held
	}
	return scopes.NewSet(slices.Delete(list, r.IntN(len(list)), len(list))...)
}

func with(r *rand.Rand, held scopes.Set) scopes.Set {
	return scopes.NewSet(append(held.Slice(), everyScope[r.IntN(len(everyScope))])...)
}

func one[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// anOperation is any; the manifest may tell only half of what is required for it.
func anOperation(r *rand.Rand) operation {
	o := one(r, operations...)
	if r.IntN(4) == 0 {
		o.requires = append(slices.Clone(o.requires), "cohort:read")
	}
	return o
}

// newWorld is one in which the request fails.
func newWorld(r *rand.Rand) *world {
	for {
		w := &world{operation: anOperation(r), next: anOperation(r), unattended: r.IntN(2) == 0, choice: r.IntN(1 << 16)}
		w.pickCredential(r)
		w.pickKnowledge(r)
		w.obstacle = one(r, obstacleNone, obstacleNone, obstacleNone, obstacleRole, obstaclePlan, obstacleShared)
		if w.operation.tool != "" && r.IntN(6) == 0 {
			w.obstacle = obstacleGone
		}
		if r.IntN(25) == 0 {
			w.obstacle = obstacleFront
		}
		if w.voice = one(r, voices...); w.voice.misleads && r.IntN(3) > 0 {
			continue // they are rare
		}
		w.pickSecond(r)
		if f := w.fate(w.credential); f.cause != "" && w.voice.can(w, f) {
			return w
		}
	}
}

// pickSecond decides what comes after the request: another, when the owner of a key may have
// ticked a box, or taken one back.
func (w *world) pickSecond(r *rand.Rand) {
	w.later, w.now = w.credential.held, agenttest.Noon()
	if w.kind != "personal_api_key" {
		return
	}
	switch r.IntN(4) {
	case 0:
		w.later = with(r, w.later)
	case 1:
		w.later = without(r, w.later)
	}
}

func (w *world) pickCredential(r *rand.Rand) {
	w.kind = one[scopes.Kind](r, "personal_api_key", "personal_api_key", "personal_api_key", "oauth_token", "oauth_token", "oauth_token", "oauth_token", "unknown", "project_key", "project_secret_key")
	prefix := map[scopes.Kind]string{"personal_api_key": "phx_", "oauth_token": "pha_", "project_key": "phc_", "project_secret_key": "phs_", "unknown": "key-"}[w.kind]
	w.credential = issued{bearer: prefix + "first", home: one(r, "us", "us", "us", "us", "us", "us", "eu", ""), expired: r.IntN(12) == 0, held: someScopes(r)}
	if w.login = w.kind == "oauth_token" && r.IntN(4) > 0; !w.login {
		return
	}
	if w.credential.home == "eu" { // a login is used at the server that gave it
		w.credential.home = "us"
	}
	w.renewal = one(r, renewalNone, renewalWorks, renewalWorks, renewalIll, renewalLost)
	w.renewed = w.credential
	w.renewed.bearer, w.renewed.expired, w.renewed.home = prefix+"second", false, cmp.Or(w.credential.home, "us")
	if r.IntN(4) == 0 {
		w.renewed.held = without(r, w.credential.held)
	}
}

// pickKnowledge decides what is known of the grant, and what servers would answer.
func (w *world) pickKnowledge(r *rand.Rand) {
	c := w.credential
	w.seen = seenGrant{scopes: c.held, ends: c.expired && r.IntN(2) == 0}
	switch {
	case w.login:
		w.seen.by = one(r, scopes.TokenResponse, scopes.TokenResponse, scopes.Introspection, scopes.JWT, scopes.Assumed)
	case r.IntN(4) > 0:
		w.seen.by = scopes.SelfInspection
		if w.kind == "oauth_token" {
			w.seen.by = scopes.Introspection
		}
	}
	switch {
	case w.seen.by == "":
		w.seen.scopes = scopes.Set{}
	case w.seen.by == scopes.Assumed && r.IntN(2) == 0: // what was asked for is more than was granted
		w.seen.scopes = with(r, c.held)
	case w.seen.by == scopes.JWT:
	case r.IntN(4) == 0: // it has shrunk since, at the server
		w.seen.scopes = with(r, c.held)
	case w.kind == "personal_api_key" && r.IntN(4) == 0: // its owner has ticked another box since
		w.seen.scopes = without(r, c.held)
	}
	w.inspectable = map[string]credential.Standing{}
	for _, server := range []string{"us", "eu"} {
		w.inspectable[server] = one(r, "", "", "", "", credential.StandingNoAnswer, credential.StandingNotAsked)
	}
	w.userinfo = w.login && w.seen.by != "" && w.choice>>12%3 == 0
}

// known is a credential with what is known of it.
func (w *world) known(c issued, s seenGrant) *credential.Credential {
	known := &credential.Credential{Access: credential.NewSecret(c.bearer)}
	known.Grant = scopes.Grant{Kind: w.kind, Prefix: c.bearer[:4] + "***", KnownBy: s.by, Server: "us", Scopes: s.scopes, Source: "AMBIT_API_KEY"}
	if s.ends {
		known.ExpiresAt = agenttest.Noon().Add(-time.Second)
	}
	if w.login {
		known.Source, known.Issuer, known.ClientID = "the keyring", "https://us.example", "client"
		if w.renewal != renewalNone {
			known.Refresh = credential.NewSecret("refresh")
		}
	}
	return known
}

// Current implements [agent.Source]: a login whose end is known and has come is renewed.
func (w *world) Current(ctx context.Context) (*credential.Credential, error) {
	first := w.known(w.credential, w.seen)
	if !w.seen.ends || w.renewal == renewalNone {
		return first, nil
	}
	c, err := w.Renew(ctx, first)
	if err != nil {
		return first, err
	}
	return c, nil
}

// Renew implements [agent.Source].
func (w *world) Renew(context.Context, *credential.Credential) (*credential.Credential, error) {
	switch w.renewal {
	case renewalWorks:
		return w.known(w.renewed, seenGrant{by: scopes.TokenResponse, scopes: w.renewed.held}), nil
	case renewalIll:
		return nil, errIll
	}
	return nil, &credential.SessionLostError{}
}

var errIll = errors.New("the token endpoint answered 500 Internal Server Error")

// inquire is what servers say of a credential when they are asked: the truth, or nothing.
func (w *world) inquire(_ context.Context, about *credential.Credential) credential.Inquiry {
	c := w.presented("Bearer " + about.Access.Reveal())
	q := credential.Inquiry{w.outcome("us", c, about.Grant)}
	if q[0].Standing == credential.StandingNotKnown {
		q = append(q, w.outcome("eu", c, about.Grant))
	}
	return q
}

func (w *world) outcome(server string, c issued, before scopes.Grant) credential.Outcome {
	o := credential.Outcome{Server: server, Standing: w.inspectable[server]}
	switch {
	case o.Standing == credential.StandingNoAnswer:
		o.Err = errors.New("connection refused")
	case o.Standing != "":
	case c.expired || c.home != server:
		o.Standing, o.Err = credential.StandingNotKnown, errors.New("401")
	case w.userinfo:
		o.Standing, o.Grant = credential.StandingKnown, before
	default:
		o.Standing = credential.StandingKnown
		o.Grant = scopes.Grant{Kind: w.kind, Prefix: c.bearer[:4] + "***", KnownBy: scopes.SelfInspection, Server: server, Scopes: c.held}
	}
	return o
}

func (w *world) presented(authorization string) issued {
	if authorization == "Bearer "+w.renewed.bearer {
		return w.renewed
	}
	return w.credential
}

// RoundTrip implements [http.RoundTripper]: the server.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
	f := w.fate(w.presented(r.Header.Get("Authorization")))
	reply := reply{status: http.StatusOK, body: "{}"}
	if f.cause != "" {
		reply = w.voice.say(w, f)
	}
	if reply.header == nil {
		reply.header = http.Header{}
	}
	if reply.header.Get("Content-Type") == "" {
		reply.header.Set("Content-Type", "application/json")
	}
	return &http.Response{
		StatusCode: reply.status, Header: reply.header, Body: io.NopCloser(strings.NewReader(reply.body)), ContentLength: int64(len(reply.body)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
	}, nil
}

// A result is what came of a world.
type result struct {
	truth fate
	told  []diagnosis.Verdict
}

// play sends the requests through a proxy: add is told of each what came of it. The second one
// comes when what servers said upon the first is no longer new.
func (w *world) play(t *testing.T, cfg agent.Config, add func(*world, result)) {
	var told []diagnosis.Verdict
	cfg.Source, cfg.Transport, cfg.Ask, cfg.Unattended = w, w, w.inquire, w.unattended
	cfg.Now = func() time.Time { return w.now }
	cfg.OnVerdict = func(v diagnosis.Verdict) { told = append(told, v) }
	p, err := agent.Start(t.Context(), cfg)
	if err != nil {
		t.Error(err)
		return
	}
	defer p.Close()
	w.call(t, p)
	add(w, result{w.truth(), told})

	told = nil
	renewed := w.truth().cause != w.fate(w.credential).cause || w.renewal == renewalWorks && w.dead(w.fate(w.credential))
	w.operation, w.second, w.now = w.next, true, w.now.Add(time.Minute)
	if w.credential.held = w.later; renewed && w.renewal == renewalWorks {
		w.credential, w.seen = w.renewed, seenGrant{by: scopes.TokenResponse, scopes: w.renewed.held}
	}
	if f := w.fate(w.credential); w.voice.can(w, f) {
		w.call(t, p)
		add(w, result{w.truth(), told})
	}
}

// call sends the request.
func (w *world) call(t *testing.T, p *agent.Proxy) {
	terms := p.Terms()
	base := terms.Bases[slices.IndexFunc(terms.Bases, func(b provider.Base) bool { return b.Name == w.operation.base })].URL
	request := httptest.NewRequestWithContext(t.Context(), w.operation.method, base+w.operation.path, strings.NewReader(w.operation.body()))
	request.Header.Set("Authorization", "Bearer "+terms.Lease)
	p.ServeHTTP(httptest.NewRecorder(), request)
}

// truth is the fate of the last credential that such a request can be made with.
func (w *world) truth() fate {
	f := w.fate(w.credential)
	switch {
	case !w.dead(f):
	case w.renewal == renewalWorks && w.voice.status(f) == http.StatusUnauthorized, w.renewal == renewalWorks && w.seen.ends:
		return w.fate(w.renewed)
	case w.renewal == renewalIll && (w.seen.ends || w.voice.status(f) == http.StatusUnauthorized):
		return fate{cause: diagnosis.CauseRenewalFailed}
	}
	return f
}

// dead reports whether a renewal would be tried.
func (w *world) dead(f fate) bool {
	return f.cause == diagnosis.CauseExpired || f.cause == diagnosis.CauseRejected
}

func (w *world) String() string {
	return fmt.Sprintf("%s {%s}%s requires %v; %s login=%v home=%q expired=%v held=%v; renewal=%q to %v; known by %q ends=%v %v; asked: %v; obstacle=%q; voice=%q; second=%v",
		w.operation.method, w.operation.base, w.operation.path+w.operation.tool, w.operation.requires, w.kind, w.login, w.credential.home, w.credential.expired, w.credential.held.Slice(),
		w.renewal, w.renewed.held.Slice(), w.seen.by, w.seen.ends, w.seen.scopes.Slice(), w.inspectable, w.obstacle, w.voice.name, w.second)
}

// A tally counts verdicts, and remembers what was seen where.
type tally struct {
	mu      sync.Mutex
	told    map[diagnosis.Confidence]int
	right   map[diagnosis.Confidence]int
	broken  map[string]int                     // by the promise that is broken: how often
	example map[string]string                  // by the same: a world
	causes  map[string]map[diagnosis.Cause]int // by what can be seen: the truths
	unknown map[string]string                  // what can be seen where nothing was said: a world
}

func newTally() *tally {
	return &tally{
		told: map[diagnosis.Confidence]int{}, right: map[diagnosis.Confidence]int{}, broken: map[string]int{}, example: map[string]string{},
		causes: map[string]map[diagnosis.Cause]int{}, unknown: map[string]string{},
	}
}

func (a *tally) add(w *world, r result) {
	a.mu.Lock()
	defer a.mu.Unlock()
	seen := w.observation()
	if a.causes[seen] == nil {
		a.causes[seen] = map[diagnosis.Cause]int{}
	}
	a.causes[seen][r.truth.cause]++
	breaks := func(promise string, v diagnosis.Verdict) {
		if a.broken[promise]++; a.example[promise] == "" {
			a.example[promise] = describe(w, r, v)
		}
	}
	refused := false
	for _, v := range r.told {
		for _, scope := range v.Missing {
			if holds(w.last().held, scope) && v.Confidence == diagnosis.ConfidenceProved {
				breaks("what is held is never missing", v)
			}
		}
		for _, step := range v.Next {
			if problem := w.cannotBeGone(step); problem != "" {
				breaks("no step leads to "+problem, v)
			}
		}
		refused = true
		if v.Status == 0 { // what a renewal or a question showed to be gone
			continue
		}
		a.told[v.Confidence]++
		switch right := rightly(v, r.truth); {
		case right:
			a.right[v.Confidence]++
		case v.Confidence == diagnosis.ConfidenceProved:
			breaks("proved is never wrong", v)
		}
		if v.Confidence == diagnosis.ConfidenceUnknown && a.unknown[seen] == "" {
			a.unknown[seen] = describe(w, r, v)
		}
	}
	if status := w.voice.status(r.truth); !refused && !w.second && r.truth.cause != "" && (status == http.StatusUnauthorized || status == http.StatusForbidden) {
		breaks("a refusal is told", diagnosis.Verdict{})
	}
}

func describe(w *world, r result, v diagnosis.Verdict) string {
	return fmt.Sprintf("%s\n\ttruth: %v\n\tsaid: %s %s\n\tevidence: %q\n\tnext: %q", w, r.truth, v.Confidence, v.Message, v.Evidence, v.Next)
}

// enough is how many worlds that look the same have to agree before they are one cause.
const enough = 25

// judge holds the whole against what was promised.
func (a *tally) judge(t *testing.T) {
	t.Logf("told %v, rightly %v", a.told, a.right)
	for _, promise := range slices.Sorted(maps.Keys(a.broken)) {
		t.Errorf("%s: broken in %d worlds, as in\n\t%s", promise, a.broken[promise], a.example[promise])
	}
	if likely := diagnosis.ConfidenceLikely; a.right[likely]*10 < a.told[likely]*9 {
		t.Errorf("of %d that were likely, %d were true", a.told[likely], a.right[likely])
	}
	for seen, example := range a.unknown {
		for cause, n := range a.causes[seen] {
			if len(a.causes[seen]) == 1 && n >= enough {
				t.Errorf("unknown, where it can only be %s (%d worlds):\n\t%s", cause, n, example)
			}
		}
	}
}

// observation is what can be seen of a world: worlds with the same look the same.
func (w *world) observation() string {
	lacks := func(held scopes.Set) bool {
		scope := w.operation.requires[0]
		return w.operation.declared() && !holds(held, scope)
	}
	f := w.truth()
	said := w.voice.say(w, f)
	q := w.inquire(context.Background(), w.known(w.last(), w.seen))
	var asked []string
	for _, o := range q {
		asked = append(asked, fmt.Sprint(o.Server, o.Standing, o.Standing == credential.StandingKnown && lacks(o.Grant.Scopes)))
	}
	return fmt.Sprint(w.second, w.operation.method, w.operation.base, w.operation.path, w.operation.tool, w.kind, w.login, w.renewal, w.seen.by, w.seen.ends, lacks(w.seen.scopes), lacks(w.last().held) && w.renewal == renewalWorks, said, asked)
}

// last is the credential that the last try was made with.
func (w *world) last() issued {
	if w.renewal == renewalWorks {
		return w.renewed
	}
	return w.credential
}

// rightly reports whether a verdict is true.
func rightly(v diagnosis.Verdict, truth fate) bool {
	switch v.Cause {
	case diagnosis.CauseMissingScope:
		return truth.cause == v.Cause && !slices.ContainsFunc(v.Missing, func(name string) bool { return !slices.Contains(truth.lacking, name) })
	case diagnosis.CauseRejected: // revoked, expired or mistyped, it says
		return truth.cause == v.Cause || truth.cause == diagnosis.CauseExpired || truth.cause == diagnosis.CauseWrongServer && (strings.Contains(v.Message+strings.Join(v.Possible, ""), "another server's") || strings.Contains(v.Message, "belongs there"))
	}
	return truth.cause == v.Cause
}

// cannotBeGone says why a step cannot be gone; "" where it can.
func (w *world) cannotBeGone(s diagnosis.Step) string {
	logsIn := strings.Contains(s.Command, "ambit login") || strings.HasPrefix(s.Text, "log in")
	switch {
	case logsIn && w.unattended:
		return "a login where nobody is there"
	case logsIn && !w.login:
		return "a login where a key was given"
	case w.login && !w.unattended && s.URL != "":
		return "a key's page for a login"
	case strings.Contains(s.Command, "logout"):
		return "log out, where no other credential was used"
	}
	return ""
}
