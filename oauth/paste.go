package oauth

import (
	"context"
	"errors"
	"io"
	"mime/quotedprintable"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/oauth/credential"
)

// readPaste understands what a person copies: the URL at which the browser ended, its
// query, or the code that the server showed, in the quotes that a shell or a mail wants,
// and with what a sentence puts around it. One without a state is taken from a person:
// that a code was meant for this login is proved by PKCE.
func readPaste(text string, a *attempt) (authorizationResponse, error) {
	text = decoded(unquoted(text))
	before, fragment, _ := strings.Cut(text, "#")
	_, query, isURL := strings.Cut(before, "?")
	if answers := func(s string) bool { return strings.Contains(s, "code=") || strings.Contains(s, "error=") }; !answers(query) && answers(fragment) {
		query, isURL = fragment, true // some servers respond there
	}
	if isURL {
		query, _, _ = strings.Cut(query, "#")
	} else if fragment != "" && fragment == a.state { // the page of some servers shows both
		return readCode(before)
	} else if query = text; !strings.Contains(text, "code=") && !strings.Contains(text, "error=") {
		return readCode(text)
	}
	query = withoutEnd(query)
	values, err := parseResponse(query)
	switch {
	case err != nil:
		return authorizationResponse{}, err
	case values.Has("state"):
		return readResponse(query, a)
	}
	got, err := responseOf(values)
	if got.bare = true; err == nil && got.refusal == nil {
		_, err = readCode(got.code)
	}
	return got, err
}

// readPasted understands lines that came in one go. A mail or a narrow window breaks a URL or a code
// into several, so they are one; only a line that has the state stands for itself.
func readPasted(lines []string, a *attempt) (authorizationResponse, error) {
	whole := make([]string, len(lines))
	for i, line := range lines {
		whole[i] = strings.TrimSpace(strings.TrimLeft(line, " \t>")) // as a mail quotes it
	}
	if printable, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(strings.Join(whole, "\n")))); err == nil && isQuotedPrintable(whole) {
		whole = strings.Split(string(printable), "\n")
	}
	got, err := readPaste(strings.Join(whole, ""), a)
	if err == nil && !got.bare {
		return got, nil
	}
	for _, line := range lines {
		if one, err := readPaste(line, a); err == nil && !one.bare {
			return one, nil
		}
	}
	return got, err
}

// isQuotedPrintable reports whether a mail's source has the response (RFC 2045 §6.7): there is no "=" but
// as =3D, and at the end of a line.
func isQuotedPrintable(lines []string) bool {
	return slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, "code=3D") || strings.Contains(line, "state=3D") })
}

// decoded is a response without what programs put around it: the first line of a request, as a log has it,
// the escapes of HTML, and those of a URL within a URL.
func decoded(text string) string {
	if method, rest, ok := strings.Cut(text, " "); ok && method == http.MethodGet {
		text, _, _ = strings.Cut(rest, " ")
	}
	if lower := strings.ToLower(text); strings.HasPrefix(lower, "http%3a") || strings.HasPrefix(lower, "https%3a") {
		if plain, err := url.QueryUnescape(text); err == nil {
			text = plain
		}
	}
	return strings.ReplaceAll(text, "&amp;", "&")
}

// What stands around a URL or a code in running text. A code may end in a mark of its own
// (RFC 6749 appendix A.11), so one goes without a quote behind it only where it ends no code.
const (
	quoteMarks  = "\"'`<>“”„‘’‚«»‹›"
	endingMarks = ".,;:!?)"
)

// unquoted takes the quotes from around a text, and the mark behind them.
func unquoted(text string) string {
	text = strings.TrimLeft(strings.TrimSpace(text), quoteMarks)
	within := strings.TrimRight(text, endingMarks)
	if bare := strings.TrimRight(within, quoteMarks); bare != within {
		return strings.TrimSpace(bare)
	}
	return strings.TrimSpace(text)
}

// withoutEnd takes the end of a sentence from a query whose last parameter is not the code.
func withoutEnd(query string) string {
	last := query[strings.LastIndex(query, "&")+1:]
	if strings.HasPrefix(last, "code=") {
		return query
	}
	return strings.TrimRight(query, endingMarks)
}

// shortestCode is what a code has at least, in bytes: one that nobody can guess has 128
// bits (RFC 6749 §10.10), and what is shorter is a word that someone typed.
const shortestCode = 16

// readCode takes a code as a page shows it, with its label or without.
func readCode(text string) (authorizationResponse, error) {
	if label, rest, labelled := strings.Cut(text, ":"); labelled && strings.EqualFold(strings.TrimSpace(label), "code") {
		text = unquoted(rest)
	}
	if len(text) < shortestCode || strings.Contains(text, "://") || !credential.IsSendable(text) {
		return authorizationResponse{}, errNoCode
	}
	return authorizationResponse{code: text, bare: true}, nil
}

// pasteSettles is how long the lines of one paste may lie apart, on a slow connection too; nobody
// types two in that time.
const pasteSettles = 200 * time.Millisecond

// gather is a pasted line with those that come right behind it.
func gather(ctx context.Context, paste <-chan string, first string) []string {
	lines, timer := []string{first}, time.NewTimer(pasteSettles)
	defer timer.Stop()
	for {
		select {
		case line, open := <-paste:
			if !open {
				return lines
			}
			lines = append(lines, line)
			timer.Reset(pasteSettles)
		case <-timer.C:
			return lines
		case <-ctx.Done():
			return lines
		}
	}
}

func (r *loginFlow) pasted(lines []string) (authorizationResponse, bool) {
	attempt := r.current.Load()
	got, err := readPasted(lines, attempt)
	if err != nil {
		r.UI.tell("what was pasted is not accepted: %v", err)
		return authorizationResponse{}, false
	}
	got.pasted = true
	if got.refusal == nil {
		return got, true // not the one response before it has proved good: see claimed
	}
	// Lost to the browser in this very moment: its response is on the way to wait.
	return got, attempt.answered.CompareAndSwap(false, true)
}

// claimed makes a pasted code that proved good the one response. Where a browser has come
// with its own meanwhile, that browser gets the page.
func (r *loginFlow) claimed(ctx context.Context, got authorizationResponse) authorizationResponse {
	if !got.pasted || got.refusal != nil || r.current.Load().answered.CompareAndSwap(false, true) {
		return got
	}
	select {
	case late := <-r.responses:
		return late
	case <-ctx.Done():
		return got
	}
}

// again reports whether to go on waiting after a pasted code that the server does not know:
// it was cut short, or is another login's, and the right one can still come.
func (r *loginFlow) again(err error) bool {
	refused, ok := errors.AsType[*ResponseError](err)
	if !ok || refused.Code != "invalid_grant" {
		return false
	}
	r.UI.tell("what was pasted is not the code of this login, or not all of it (%v); paste the whole URL at which the browser ended", err)
	return true
}
