package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
)

// recordVersion is written into every record. A record of another version is
// reported as corrupt: it costs a login, and nothing is misread.
const recordVersion = 1

// A record is a credential as the stores keep it, in JSON. Names are short and empty
// members are left out, since some keyrings have little room.
type record struct {
	Version    int            `json:"v"`
	Access     string         `json:"access"`
	Refresh    string         `json:"refresh,omitempty"`
	Kind       scopes.Kind    `json:"kind"`
	Prefix     string         `json:"prefix,omitempty"`
	TokenType  string         `json:"type,omitempty"`
	Issuer     string         `json:"iss,omitempty"`
	ClientID   string         `json:"client,omitempty"`
	Own        bool           `json:"own,omitempty"`
	Server     string         `json:"server,omitempty"`
	Account    string         `json:"account,omitempty"`
	Subject    string         `json:"sub,omitempty"`
	ExpiresAt  int64          `json:"exp,omitempty"` // seconds since 1970
	ObtainedAt int64          `json:"iat,omitempty"` // seconds since 1970
	Scope      string         `json:"scope"`
	Asked      string         `json:"asked,omitempty"`
	Resources  []string       `json:"for,omitempty"`
	KnownBy    scopes.KnownBy `json:"by"`
	Reach      []reach        `json:"reach,omitempty"`
	Hosts      []string       `json:"hosts,omitempty"`
	LostAt     int64          `json:"lost,omitempty"`     // microseconds since 1970
	RejectedAt int64          `json:"rejected,omitempty"` // seconds since 1970
	Failed     *failure       `json:"failed,omitempty"`
}

// A failure is a [credential.RenewalFailure]. Its times count in microseconds: who waited for
// an attempt has to tell it from the next.
type failure struct {
	At     int64  `json:"at"`
	Until  int64  `json:"until,omitempty"`
	Final  bool   `json:"final,omitempty"`
	Kind   string `json:"kind,omitempty"`
	Host   string `json:"host,omitempty"`
	Status int    `json:"status,omitempty"`
	Code   string `json:"code,omitempty"`
	Words  string `json:"words,omitempty"`
}

func failureOf(f *credential.RenewalFailure) *failure {
	if f == nil {
		return nil
	}
	return &failure{toMicros(f.At), toMicros(f.Until), f.Final, f.Kind, f.Host, f.Status, f.Code, f.Words}
}

func (f *failure) renewal() *credential.RenewalFailure {
	if f == nil {
		return nil
	}
	return &credential.RenewalFailure{
		At: fromMicros(f.At), Until: fromMicros(f.Until), Final: f.Final,
		Kind: f.Kind, Host: f.Host, Status: f.Status, Code: text.Line(f.Code), Words: text.Line(f.Words),
	}
}

// A reach is a [scopes.Reach].
type reach struct {
	Of  string   `json:"of"`
	IDs []string `json:"ids"`
}

func reachOf(limits []scopes.Reach) []reach {
	var out []reach
	for _, l := range limits {
		out = append(out, reach(l))
	}
	return out
}

func limits(stored []reach) []scopes.Reach {
	var out []scopes.Reach
	for _, r := range stored {
		out = append(out, scopes.Reach(r))
	}
	return out
}

func encodeRecord(c *credential.Credential) ([]byte, error) {
	return json.Marshal(record{
		Version: recordVersion, Access: c.Access.Reveal(), Refresh: c.Refresh.Reveal(),
		Kind: c.Kind, Prefix: c.Prefix, TokenType: c.TokenType,
		Issuer: c.Issuer, ClientID: c.ClientID, Own: c.Own, Server: c.Server, Account: c.Account, Subject: c.Subject,
		ExpiresAt: toSeconds(c.ExpiresAt), ObtainedAt: toSeconds(c.ObtainedAt),
		Scope: c.Scopes.String(), Asked: c.Asked.String(), Resources: c.Resources, KnownBy: c.KnownBy,
		Reach: reachOf(c.Reach), Hosts: c.Hosts,
		LostAt: toMicros(c.Renewal.LostAt), RejectedAt: toSeconds(c.Renewal.RejectedAt), Failed: failureOf(c.Renewal.Failed),
	})
}

// decodeRecord reads what [encodeRecord] wrote. Errors name what is wrong, and
// nothing of the content: they do not wrap what encoding/json says.
func decodeRecord(data []byte) (*credential.Credential, error) {
	var r record
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, errors.New("it is empty, as a full disk or a crash leaves it")
	}
	if err := json.Unmarshal(data, &r); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok && syntax.Offset >= int64(len(data)) {
			return nil, errors.New("it is cut short, as a full disk or a crash leaves it")
		}
		return nil, errors.New("it is not the JSON that ambit writes")
	}
	if r.Version != recordVersion {
		return nil, versionError(r.Version)
	}
	if r.Access == "" && !r.Own || !credential.IsSendable(r.Access) || !credential.IsVisible(r.Refresh) {
		return nil, errors.New("the token in it is not valid")
	}
	granted, err := scopes.ParseSet(r.Scope)
	asked, askedErr := scopes.ParseSet(r.Asked)
	if err != nil || askedErr != nil {
		return nil, errors.New("the scopes in it are not valid")
	}
	c := &credential.Credential{
		Grant: scopes.Grant{
			Kind: r.Kind, Prefix: r.Prefix, ExpiresAt: fromSeconds(r.ExpiresAt), KnownBy: r.KnownBy,
			Server: r.Server, Scopes: granted, Reach: limits(r.Reach),
		},
		TokenType: r.TokenType, Issuer: r.Issuer, ClientID: r.ClientID, Own: r.Own, Resources: r.Resources,
		Account: text.Line(r.Account), Subject: r.Subject,
		ObtainedAt: fromSeconds(r.ObtainedAt), Asked: asked, Hosts: r.Hosts,
		Renewal: credential.Renewal{LostAt: fromMicros(r.LostAt), RejectedAt: fromSeconds(r.RejectedAt), Failed: r.Failed.renewal()},
	}
	if r.Access != "" { // one of a client's own that was asked for, and did not come yet
		c.Access = credential.NewSecret(r.Access)
	}
	if r.Refresh != "" {
		c.Refresh = credential.NewSecret(r.Refresh)
	}
	return c, nil
}

// A versionError is the version of a record that this program does not read.
type versionError int

// Error names both versions.
func (e versionError) Error() string {
	if e > recordVersion {
		return fmt.Sprintf("a newer ambit wrote it: it has version %d, and this one reads version %d", int(e), recordVersion)
	}
	return fmt.Sprintf("it has version %d, and this ambit reads version %d", int(e), recordVersion)
}

// loadRecord is decodeRecord for a store, whose errors are *[CorruptError].
func loadRecord(store string, data []byte) (*credential.Credential, error) {
	c, err := decodeRecord(data)
	if err != nil {
		version, _ := errors.AsType[versionError](err)
		return nil, &CorruptError{Store: store, Problem: err.Error(), Newer: version > recordVersion}
	}
	return c, nil
}

func toSeconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func fromSeconds(s int64) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(s, 0).UTC()
}

func toMicros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
