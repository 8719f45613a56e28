package text_test

import (
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/ambit-auth/ambit/internal/text"
)

func TestVeil(t *testing.T) {
	veil := text.Veil{}.Over("key-01/23+4567==", "key-***").Over("ref_abcdefgh", "***").Over("short", "***").Over("pass wörd \xff &c", "***")
	for said, want := range map[string]string{
		"":                                     "",
		"nothing of it":                        "nothing of it",
		"short":                                "short",
		"key-01/23+4567=":                      "key-01/23+4567=",
		"a key-01/23+4567==, key-01/23+4567==": "a key-***, key-***",
		"?t=key-01%2F23%2b4567%3D%3D&r=1":      "?t=key-***&r=1",
		`{"a":"key-01\/23\u002B4567\u003d\u003D"}`:      `{"a":"key-***"}`,
		"<b>key-01&#x2F;23&#43;4567==</b>":              "<b>key-***</b>",
		"ref_abcdefgh for key-01/23+4567==":             "*** for key-***",
		"a pass wörd \xff &c, pass+w%C3%B6rd+\xff+%26c": "a ***, ***",
		`pass%20w%c3%b6rd%20` + "\xff" + `%20%26c`:      "***",

		"Basic " + base64.StdEncoding.EncodeToString([]byte("me:ref_abcdefgh")) + " was sent": "Basic *** was sent",
		"Basic " + base64.StdEncoding.EncodeToString([]byte("m:ref_abcdefgh")):                "Basic ***",
		base64.RawURLEncoding.EncodeToString([]byte("ref_abcdefgh")):                          "***",
		base64.StdEncoding.EncodeToString([]byte("id:pass wörd \xff &c;")) + ".":              "***.",
		base64.URLEncoding.EncodeToString([]byte(`{"k":"key-01/23+4567=="}`)):                 "key-***",
		base64.StdEncoding.EncodeToString([]byte("ref_abcdefg")):                              base64.StdEncoding.EncodeToString([]byte("ref_abcdefg")),
	} {
		header := http.Header{"A": {"x", said}}
		if got := string(veil.Bytes([]byte(said))); got != want {
			t.Errorf("%q is shown as %q, want %q", said, got, want)
		}
		if got := veil.Header(header); got["A"][1] != want || got["A"][0] != "x" || header["A"][1] != said {
			t.Errorf("of the header %q is made %q", header, got)
		}
	}
}
