package manifest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"go.yaml.in/yaml/v3"
)

// LockName is the file beside a manifest that holds its [Lock].
const LockName = "scopes.lock"

// The kinds of [Drift].
const (
	DriftVanished = "vanished" // the lock file has it, the server's list lacks it
	DriftNew      = "new"      // the server lists it, the lock file does not
)

// A Drift is a difference between what a server advertises and what the lock file
// recorded.
type Drift struct {
	Kind  string // vanished or new
	Scope string
}

// A Lock records what authorization servers advertised, and what was negotiated with
// each when someone last looked: the file scopes.lock beside a manifest. It does not
// change once made, and may be shared between goroutines. The zero value knows no
// server.
type Lock struct {
	servers []lockedServer // by issuer
}

type lockedServer struct {
	Issuer     string                    `yaml:"issuer"`
	State      scopes.AdvertisementState `yaml:"scopes_supported"`
	Negotiated string                    `yaml:"negotiated"`
	Scopes     []string                  `yaml:"scopes,omitempty"` // sorted; only where State is Listed
}

func (l *Lock) find(issuer string) (at int, known bool) {
	return slices.BinarySearchFunc(l.servers, issuer, func(s lockedServer, issuer string) int { return strings.Compare(s.Issuer, issuer) })
}

// With is the lock with this word on one server, by its issuer: what it advertises,
// and the [Digest] of what was negotiated with it. Other servers stay as they are.
// Words in the list that are no scopes (RFC 6749 §3.3) are left out: nobody can ask
// for them.
func (l *Lock) With(issuer string, a scopes.Advertisement, digest string) *Lock {
	s := lockedServer{Issuer: issuer, State: a.State, Negotiated: digest}
	switch a.State {
	case scopes.Listed:
		s.Scopes = recordable(a).Sorted().Slice()
	case scopes.Empty:
	default:
		s.State = scopes.Absent
	}
	servers := slices.Clone(l.servers)
	at, known := l.find(issuer)
	if known {
		servers[at] = s
	} else {
		servers = slices.Insert(servers, at, s)
	}
	return &Lock{servers}
}

func recordable(a scopes.Advertisement) scopes.Set {
	return a.Scopes.Where(func(scope string) bool { return scopes.CheckScope(scope) == nil })
}

// Negotiated is the digest that was recorded for a server; ok is false for a server
// that the lock does not know.
func (l *Lock) Negotiated(issuer string) (digest string, ok bool) {
	at, known := l.find(issuer)
	if !known {
		return "", false
	}
	return l.servers[at].Negotiated, true
}

// Drift is what the server advertises otherwise than the lock has it: first what
// vanished, then what is new, each sorted. Two lists are compared, nothing else: of a
// server that gives no list now, or gave none then, nothing can be said (RFC 8414 §2
// lets it), nor of one that the lock does not know; see [Lock.Negotiated] for that.
func (l *Lock) Drift(issuer string, a scopes.Advertisement) []Drift {
	at, known := l.find(issuer)
	if !known || a.State != scopes.Listed || l.servers[at].State != scopes.Listed {
		return nil
	}
	before, now := scopes.NewSet(l.servers[at].Scopes...), recordable(a)
	var drift []Drift
	for scope := range before.Minus(now).Sorted().All() {
		drift = append(drift, Drift{Kind: DriftVanished, Scope: scope})
	}
	for scope := range now.Minus(before).Sorted().All() {
		drift = append(drift, Drift{Kind: DriftNew, Scope: scope})
	}
	return drift
}

// digestPrefix names the hash, so that another can follow one day.
const digestPrefix = "sha256:"

// Digest is a fingerprint of what was negotiated: the scopes that are asked for, the
// needs that are withheld, and what was decided on each need. Nothing else goes into
// it: not where the server's word came from or when, not the order of the manifest
// (nor does the order of a request mean anything, RFC 6749 §3.3), not a reason or a
// level. Of the same negotiation it is the same in every run.
func Digest(p scopes.Plan) string {
	var lines []string
	for scope := range p.Request.All() {
		lines = append(lines, fmt.Sprintf("request %q", scope))
	}
	for _, need := range p.Withheld {
		lines = append(lines, fmt.Sprintf("withheld %q", need))
	}
	for i := range p.Scopes {
		lines = append(lines, fmt.Sprintf("need %q %s", p.Scopes[i].Need.AnyOf, p.Scopes[i].Decision))
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return digestPrefix + hex.EncodeToString(sum[:])
}

func isDigest(text string) bool {
	sum, found := strings.CutPrefix(text, digestPrefix)
	_, err := hex.DecodeString(sum)
	return found && err == nil && len(sum) == hex.EncodedLen(sha256.Size) && sum == strings.ToLower(sum)
}

// lockVersion is the version of the lock file's form.
const lockVersion = 1

// lockHeader tells a reviewer what the file is.
const lockHeader = `# What each authorization server advertised, and a digest of what was negotiated with
# it. Written by "ambit plan --lock"; made for review, not for editing.
`

// Bytes is the lock file's text: YAML with a line a scope, servers and scopes sorted,
// so that a review shows what changed and nothing else. The same lock gives the same
// bytes, and [DecodeLock] reads them, as long as they are no more than [yamlfile.MaxFileSize].
func (l *Lock) Bytes() []byte {
	text := bytes.NewBufferString(lockHeader)
	encoder := yaml.NewEncoder(text)
	encoder.SetIndent(2)
	servers := append([]lockedServer{}, l.servers...)
	// Neither call can fail: the values are plain text, and a buffer takes everything.
	encoder.Encode(struct {
		Version int            `yaml:"version"`
		Servers []lockedServer `yaml:"servers"`
	}{lockVersion, servers})
	encoder.Close()
	return text.Bytes()
}

// DecodeLock reads a lock file; file is its name for messages. The error is
// [yamlfile.Mistakes]: everything that is wrong in it, each with its place. What it takes is
// what [Lock.Bytes] writes, in whatever order a merge left it.
func DecodeLock(file string, text []byte) (*Lock, error) {
	d := lockDecoder{Reader: yamlfile.Reader{File: file}}
	if root := d.Document(text); root != nil {
		d.Mapping(root, "the lock file", []yamlfile.Member{
			yamlfile.Required("version", func(v *yaml.Node) { d.Version(v, fmt.Sprint(lockVersion)) }),
			yamlfile.Required("servers", func(v *yaml.Node) { d.List(v, "servers", d.server) }),
		})
	}
	if mistakes := d.Told(); len(mistakes) > 0 {
		return nil, mistakes
	}
	slices.SortFunc(d.servers, func(a, b lockedServer) int { return strings.Compare(a.Issuer, b.Issuer) })
	return &Lock{d.servers}, nil
}

type lockDecoder struct {
	yamlfile.Reader
	servers []lockedServer
	issuers map[string]bool
}

func (d *lockDecoder) server(n *yaml.Node) {
	var s lockedServer
	var list *yaml.Node
	d.Mapping(n, "a server", []yamlfile.Member{
		yamlfile.Required("issuer", func(v *yaml.Node) { s.Issuer = d.issuer(v) }),
		yamlfile.Required("scopes_supported", func(v *yaml.Node) {
			s.State = scopes.AdvertisementState(d.Word(v, "state of scopes_supported", []string{string(scopes.Listed), string(scopes.Empty), string(scopes.Absent)}))
		}),
		yamlfile.Required("negotiated", func(v *yaml.Node) { s.Negotiated = d.digest(v) }),
		yamlfile.Optional("scopes", func(v *yaml.Node) { list, s.Scopes = v, d.scopes(v) }),
	})
	if list != nil && s.State != scopes.Listed && s.State != "" {
		d.Mistake(list, yamlfile.BadValue, "a server has scopes only where scopes_supported is %q, not %q", scopes.Listed, s.State)
	}
	d.servers = append(d.servers, s)
}

// issuer reads the name under which a server is found again. It is never asked, so
// any word will do that stands on one line.
func (d *lockDecoder) issuer(n *yaml.Node) string {
	text := d.Text(n, "issuer")
	switch {
	case text == "":
	case strings.ContainsFunc(text, func(c rune) bool { return c == ' ' || !unicode.IsPrint(c) }):
		d.Mistake(n, yamlfile.BadValue, "issuer is a URL, not %q", text)
	case d.issuers[text]:
		d.Mistake(n, yamlfile.DuplicateKey, "the issuer %q appears twice in servers", text)
	case d.issuers == nil:
		d.issuers = map[string]bool{text: true}
	default:
		d.issuers[text] = true
	}
	return text
}

func (d *lockDecoder) digest(n *yaml.Node) string {
	text := d.Text(n, "negotiated")
	if text != "" && !isDigest(text) {
		d.Mistake(n, yamlfile.BadValue, "negotiated is %s and 64 hexadecimal digits, not %q", digestPrefix, text)
	}
	return text
}

func (d *lockDecoder) scopes(n *yaml.Node) []string {
	list := scopesOf(&d.Reader, n, "scopes")
	slices.Sort(list)
	return list
}
