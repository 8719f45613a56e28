package view

import (
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// Whatever an agent, a server and a manifest say, the page of a run holds no markup of theirs and
// loads nothing, and of very many calls it has the first.
func TestRunPageEscapes(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	timeline := &Timeline{}
	log := slog.New(timeline)
	log.Info("start", "agent", evil, "credential", evil, "server", evil)
	log.Warn("refused", "base", "api", "method", evil, "cause", evil, "missing", []string{evil})
	log.Info(evil, "note", evil, "status", evil, "ms", evil)
	log.Info("request", "base", evil, "method", evil, "route", "/"+evil, "tool", evil, "status", 200, "ms", 3, "error", evil)
	for i := range maxMoments + 7 {
		log.Info("request", "base", "api", "method", "GET", "route", fmt.Sprintf("/%d", i), "status", 200, "ms", 1)
		log.Info("request", "base", "api", "method", "GET", "route", fmt.Sprintf("/%d", i), "status", 200, "ms", 1)
	}
	run := &Run{Log: evil, HiddenTools: []string{evil}, Envelope: Envelope{Error: &Error{Message: evil}}}
	run.Add(diagnosis.Verdict{
		Message: evil, Cause: evil, Missing: []string{evil}, Why: map[string]string{evil: evil}, NeededFor: map[string][]string{evil: {evil}},
		Evidence: []string{evil}, Possible: []string{evil}, Next: []advice.Step{{Text: evil, Command: evil, URL: "javascript:" + evil}},
	})
	page, err := RunPage{Run: run, Agent: evil, Server: provider.Server{Bases: []provider.Base{{Name: "api", URL: "https://x/" + evil}}}, Timeline: timeline}.Page()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "<img") || regexp.MustCompile(`(?i)<[^>]*\s(src|style|on\w+)=`).MatchString(page) {
		t.Error("the page holds markup that is not its own")
	}
	for _, link := range regexp.MustCompile(`href="[^"]*"`).FindAllString(page, -1) {
		if link != `href="#verdict-1"` {
			t.Errorf("the page leads to %s", link)
		}
	}
	if !strings.Contains(page, "default-src &#39;none&#39;; style-src &#39;sha256-") || strings.Contains(page, "script-src") {
		t.Error("the policy lets other things in than the page's style")
	}
	if rows := strings.Count(page, "<tr><td>"); rows != maxMoments || !strings.Contains(page, "× 2") {
		t.Errorf("%d rows", rows)
	}
	if want := fmt.Sprintf("%d more are in the log", 2*(7+4)); !strings.Contains(page, want) {
		t.Errorf("the page does not say: %s", want)
	}
}
