package store

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
)

// Whatever lies in a store, what is taken for a credential is one that a store can write, and it comes
// back as it was; of what is not taken nothing is told.
func FuzzRecord(f *testing.F) {
	for _, seed := range []string{
		`{"v":1,"access":"pha_a","refresh":"phr_b","kind":"oauth_token","prefix":"pha_***","type":"Bearer","iss":"https://as.example","client":"c","server":"us","exp":1760000000,"iat":1750000000,"scope":"a:read b:read","asked":"a:read","for":["https://api.example"],"by":"token_response","reach":[{"of":"project","ids":["1"]}],"hosts":["as.example"],"lost":1760000000000000,"failed":{"at":1,"until":2,"final":true,"kind":"denied","host":"as.example","status":400,"code":"invalid_grant","words":"spent"}}`,
		`{"v":1,"access":"s3cret","kind":"client","iss":"https://as.example","client":"c0ffee","scope":"","by":"assumed"}`,
		`{"v":2,"access":"a"}`, `{"v":1}`, `{"v":1,"access":"a\nb"}`, `{"v":1,"access":"a","exp":-9223372036854775808,"scope":"a","by":"assumed"}`, `{"v":1,"acc`, "", " ", "[]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := loadRecord("the store", data)
		if err != nil {
			corrupt, known := errors.AsType[*CorruptError](err)
			if !known || strings.IndexFunc(corrupt.Problem, func(r rune) bool { return !strconv.IsPrint(r) }) >= 0 {
				t.Errorf("%q: %v", data, err)
			}
			return
		}
		if c.Access.Reveal() == "" || !credential.IsSendable(c.Access.Reveal()) || !credential.IsSendable(c.Refresh.Reveal()) {
			t.Errorf("%q is taken, and cannot be sent", data)
		}
		once, err := encodeRecord(c)
		if err != nil {
			t.Fatalf("%q is taken, and cannot be written: %v", data, err)
		}
		again, err := loadRecord("the store", once)
		if err != nil {
			t.Fatalf("%q is taken, and what is written of it is not: %v", data, err)
		}
		if twice, err := encodeRecord(again); err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%s\nbecomes\n%s: %v", once, twice, err)
		}
		if r, err := client.FromCredential(c, c.Issuer); err == nil && (r.ID == "" || !credential.IsSendable(r.Secret.Reveal())) {
			t.Errorf("%q is taken for a client", data)
		}
	})
}
