package ambit

import (
	"testing"

	"github.com/ambit-auth/ambit/oauth/credential"
)

func TestIsSameAccount(t *testing.T) {
	type who = credential.Credential
	for name, c := range map[string]struct {
		a, b who
		same bool
	}{
		"nothing known":                        {who{}, who{}, true},
		"one identifier":                       {who{Subject: "1", Account: "a@x.example"}, who{Subject: "1", Account: "b@x.example"}, true},
		"two identifiers":                      {who{Subject: "1", Account: "a@x.example"}, who{Subject: "2", Account: "a@x.example"}, false},
		"two names":                            {who{Account: "ada"}, who{Account: "sam"}, false},
		"an identifier, and another's address": {who{Subject: "1", Account: "robin@x.example"}, who{Account: "sam@x.example"}, false},
		"an identifier, and the same address":  {who{Subject: "1", Account: "Robin@x.example"}, who{Account: "robin@x.example"}, true},
		"names of two sorts":                   {who{Subject: "1", Account: "robin@x.example"}, who{Account: "robin"}, true},
		"nothing of the one that came":         {who{Subject: "1", Account: "robin@x.example"}, who{}, true},
	} {
		if got := isSameAccount(&c.a, &c.b); got != c.same {
			t.Errorf("%s: %t", name, got)
		}
	}
}
