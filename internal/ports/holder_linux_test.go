package ports

import "testing"

func TestListeningSocket(t *testing.T) {
	for line, want := range map[string]struct {
		port  int
		inode string
		ok    bool
	}{
		"   0: 0100007F:202F 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 54321 1 0 100 0 0 10 0":                       {8239, "54321", true},
		"   1: 00000000000000000000000001000000:202F 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 999 1 0": {8239, "999", true},
		"   2: 0100007F:202F 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 54322 1 0 100 0 0 10 0":                       {}, // established
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode":                                        {},
		"   3: nonsense 00000000:0000 0A 0 0 0 0 0 1": {},
		"": {},
	} {
		port, inode, ok := listeningSocket(line)
		if port != want.port || inode != want.inode || ok != want.ok {
			t.Errorf("%q: %d, %q, %v", line, port, inode, ok)
		}
	}
}
