package credential

import "strings"

// MaxToken is the longest credential in bytes that is believed to be one: header
// fields beyond 8 KiB are refused by most servers, so twice that is no token.
const MaxToken = 16 << 10

// IsVisible reports whether a text is VSCHAR of RFC 6749 appendix A: what a client's id and secret, a refresh
// token and a device code are of, which are sent in a form.
func IsVisible(text string) bool {
	return IsSendable(strings.ReplaceAll(text, " ", ""))
}

// IsSendable reports whether a credential can stand in a header field: printable ASCII
// without blanks, a superset of RFC 6750 §2.1's b64token.
func IsSendable(credential string) bool {
	if len(credential) > MaxToken {
		return false
	}
	for i := range len(credential) {
		if credential[i] <= ' ' || credential[i] > '~' {
			return false
		}
	}
	return true
}
