package cli

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/spf13/cobra"
)

// openLog begins the file of --log-file: a JSON line an event, readable by the
// user alone, appended to what is there. No event holds a body, a query or a secret.
func (r *invocation) openLog(cmd *cobra.Command) error {
	if r.settings.LogFile == "" {
		return nil
	}
	f, err := os.OpenFile(r.settings.LogFile, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return failure.New(failure.ExitUsage, "the log cannot be written: "+err.Error(), "")
	}
	r.logFile = f
	r.log = slog.New(slog.NewJSONHandler(f, nil))
	r.log.Info("start", "command", cmd.CommandPath(), "manifest", r.settings.Manifest, "server", guard.ShownURL(r.settings.Server))
	return nil
}

func (r *invocation) closeLog(code int) {
	if r.log != nil {
		r.log.Info("end", "exit", code)
		r.logFile.Close()
	}
}

// traced tells of each request that goes out: method, host and path, and how it
// was answered. A query may hold what is nobody's business, so it stays out.
type traced struct {
	next http.RoundTripper
	tell func(method, host, path string, status int, took time.Duration, err error)
}

// RoundTrip sends the request and tells of it.
func (t *traced) RoundTrip(request *http.Request) (*http.Response, error) {
	start := time.Now()
	answer, err := t.next.RoundTrip(request)
	status := 0
	if answer != nil {
		status = answer.StatusCode
	}
	t.tell(request.Method, request.URL.Host, request.URL.Path, status, time.Since(start), err)
	return answer, err
}

// detail tells those who asked with --verbose, and the log.
func (r *invocation) detail(sentence string) {
	if r.log != nil {
		r.log.Info("detail", "said", sentence)
	}
	r.console.Detail("%s", text.Printable(sentence))
}

func (r *invocation) trace(method, host, path string, status int, took time.Duration, err error) {
	if r.log != nil {
		r.log.Info("request", "method", method, "host", host, "path", path, "status", status, "ms", took.Milliseconds(), "failed", err != nil)
	}
	outcome := fmt.Sprint(status)
	if err != nil {
		outcome = "failed"
	}
	r.console.Detail("%s %s%s: %s, %d ms", method, text.Printable(host), text.Printable(path), outcome, took.Milliseconds())
}
