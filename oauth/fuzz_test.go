package oauth

import "testing"

// Whatever comes back, or is pasted, ends in a code or a refusal that belongs to this request, or
// in a mistake.
func FuzzResponse(f *testing.F) {
	for _, seed := range []string{"code=c0ffee&state=right", "error=access_denied&state=right", "state=right", "code=a&code=b", "%zz", "code=x&state=wrong&iss=https%3A%2F%2Fa.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		got, err := readResponse(query, &attempt{state: "right"})
		if values, parseErr := parseResponse(query); err == nil && (parseErr != nil || values.Get("state") != "right" || got.code == "" && got.refusal == nil) {
			t.Errorf("%q is taken: %+v", query, got)
		}
	})
}

func FuzzPaste(f *testing.F) {
	for _, seed := range []string{"http://localhost:1/callback?code=c0ffeec0ffeec0ffee&state=right", "Code: c0ffeec0ffeec0ffee", `"c0ffeec0ffeec0ffee".`, "error=access_denied", "https://x?", "«»"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := readPaste(text, &attempt{state: "right"})
		if err == nil && got.code == "" && got.refusal == nil {
			t.Errorf("%q is taken: %+v", text, got)
		}
		if err == nil && got.bare && got.refusal == nil && len(got.code) < shortestCode {
			t.Errorf("%q is taken for a code", got.code)
		}
	})
}
