package agent_test

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
)

// Each sentence of a server's own is told, and each once, whatever number it gives the request.
func TestEachReasonIsTold(t *testing.T) {
	var calls atomic.Int32
	origin := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		said := []string{"You cannot post a duplicate (request 17).", "You cannot post a duplicate (request 23).", "Pay the invoice of May first."}[calls.Add(1)-1]
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, fmt.Sprintf(`{"message":%q}`, said))
	}).URL
	l := lend(t, origin, &source{current: key("phx_real", "user:read")}, nil)
	for range 3 {
		l.send("GET", "api", "/api/users/@me/", "", bearer)
	}
	if told := l.verdicts(); len(told) != 2 || told[0].Said == told[1].Said {
		t.Errorf("told %+v", told)
	}
}
