package guard

import "testing"

func TestIsProxy(t *testing.T) {
	for value, want := range map[string]bool{
		"http://proxy.example:3128": true, "proxy.example:3128": true, "https://proxy.example/": true, "socks5://[::1]:1080": true,
		"http://user:p%40ss%231@proxy.example": true, "user:word@proxy.example:8080": true,
		"http://user:p@ss@proxy.example":   true, // the last @ counts, as in other programs
		"http://user:p@ss#1@proxy.example": false, "http://user:p/ss@proxy.example": false, "http://user:p?ss@proxy.example:1": false,
		"user:p#ss@proxy.example": false, "http://user:p%zz@proxy.example": false, "http://": false,
	} {
		if got := isProxy(value); got != want {
			t.Errorf("%s: %t", value, got)
		}
	}
}
