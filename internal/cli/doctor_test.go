package cli

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/view"
)

// The clock is compared with the Date of a response, which has whole seconds and was on its way for a while.
func TestExamineClock(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		date, age string
		state     view.State
		says      string
	}{
		"the same":        {now.Format(http.TimeFormat), "", view.StateFine, "agrees with h"},
		"a little behind": {now.Add(-59 * time.Second).Format(http.TimeFormat), "", view.StateFine, ""},
		"a little ahead":  {now.Add(62 * time.Second).Format(http.TimeFormat), "", view.StateFine, ""}, // it took three seconds
		"far behind":      {now.Add(5 * time.Minute).Format(http.TimeFormat), "", view.StateLook, "is 5m behind that of h"},
		"far ahead":       {now.Add(-2 * time.Hour).Format(http.TimeFormat), "", view.StateLook, "is 2h0m ahead of that of h"},
		"none":            {"", "", view.StateUnknown, "does not say"},
		"nonsense":        {"noon", "", view.StateUnknown, "does not say"},
		"an old response": {now.Add(-2 * time.Hour).Format(http.TimeFormat), "7200", view.StateUnknown, "does not say"},
	} {
		header := http.Header{"Date": {c.date}}
		if c.age != "" {
			header.Set("Age", c.age)
		}
		got := examineClock("h", header, now, now.Add(3*time.Second))
		if got.State != c.state || !strings.Contains(got.Message, c.says) || (len(got.Next) > 0) != (c.state == view.StateLook) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
