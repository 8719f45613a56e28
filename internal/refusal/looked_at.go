package refusal

import (
	"bytes"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/ambit-auth/ambit/scopes/provider"
)

// MayRefuse reports whether a response can be a refusal by its head.
func MayRefuse(p *provider.Provider, status int, h http.Header) bool {
	named := p != nil && !succeeded(status) && slices.ContainsFunc(p.Voice().Refusals, func(f provider.Refusal) bool { return f.ForStatus(status) })
	return named || denies(status) || mayExplain(status) || MayFail(status, h) || TellsByHead(p, "", status, h)
}

// Refuses reports whether the response is a refusal whatever it says: by its status, or since the
// provider's file knows it as one. What a service needs, and nothing more, may stand in a response
// that has another reason.
func (r Reading) Refuses() bool {
	switch r.Entry.Means {
	case provider.MeaningNotAScopeProblem, provider.MeaningRejected:
		return true
	case provider.MeaningMissingScope:
		return r.Entry.Says() || denies(r.status)
	}
	return denies(r.status)
}

// denies reports whether a status denies access (RFC 9110 §15.5.2, §15.5.4).
func denies(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

// mayExplain reports whether a response with this status, which is no refusal by itself, may
// say that a scope is missing: some services refuse with it, or fail over it.
func mayExplain(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusPaymentRequired || status == http.StatusNotFound || failed(status)
}

func failed(status int) bool { return status >= http.StatusInternalServerError }

// FailedOver reports whether a server that failed says that it did so for want of a scope that it
// names: anything less is trouble of its own.
func (r Reading) FailedOver() bool { return failed(r.status) && r.SaysLacking() && len(r.Needs) > 0 }

func succeeded(status int) bool { return status >= 200 && status < 300 }

// MayFail reports whether a response whose status is a success can have an error in its body:
// a GraphQL or a JSON-RPC error, a tool's result, a call that was not ok. Its body is to be
// looked at by [Fails].
func MayFail(status int, h http.Header) bool {
	if !succeeded(status) {
		return false
	}
	mediaType := mediaTypeOf(h)
	return mediaType == eventStream || mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
}

// MayReject reports whether the provider's file knows a response of success with this head as one that can say
// that the credential is not accepted. A stream of events is none: it cannot be held back.
func MayReject(p *provider.Provider, base string, status int, h http.Header) bool {
	return p != nil && MayFail(status, h) && !HasEvents(h) && slices.ContainsFunc(p.Voice().Refusals, func(f provider.Refusal) bool {
		return f.Means == provider.MeaningRejected && (f.Base == "" || f.Base == base) && f.ForStatus(status)
	})
}

const eventStream = "text/event-stream"

// IsStream reports whether a response is a stream of events that can be read as they come.
func IsStream(h http.Header) bool { return HasEvents(h) && h.Get("Content-Encoding") == "" }

// HasEvents reports whether a response has the form of a stream of events, packed or not.
func HasEvents(h http.Header) bool { return mediaTypeOf(h) == eventStream }

func mediaTypeOf(h http.Header) string {
	mediaType, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return mediaType
}

// Hints reports whether the beginning of a successful response has something in it that an
// error has: most have not, and are read no further.
func Hints(body []byte) bool {
	for _, mark := range marks {
		if bytes.Contains(body, mark) {
			return true
		}
	}
	return isFalse(body, []byte(`"ok"`)) || isFalse(body, []byte(`"success"`))
}

// isFalse reports whether a member of that name is false: where one says of each response that it is
// good, most are.
func isFalse(body, name []byte) bool {
	for {
		_, rest, found := bytes.Cut(body, name)
		if !found {
			return false
		}
		value, colon := bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(":"))
		if colon && bytes.HasPrefix(bytes.TrimLeft(value, " \t\r\n"), []byte("false")) {
			return true
		}
		body = rest
	}
}

var marks = [][]byte{[]byte(`"error`), []byte(`"isError"`), []byte(`"status_code"`), []byte(`"statusCode"`), []byte(`"status":4`), []byte(`"status": 4`), []byte(`"errcode"`)}

// TellsByHead reports whether a successful response says by its header alone, in a form of the provider's
// file, that something is wrong; on any base where base is "".
func TellsByHead(p *provider.Provider, base string, status int, h http.Header) bool {
	return p != nil && succeeded(status) && slices.ContainsFunc(p.Voice().Refusals, func(f provider.Refusal) bool {
		if len(f.Headers) == 0 || f.Text != "" || len(f.At) > 0 || !f.ForStatus(status) || f.Base != "" && base != "" && f.Base != base {
			return false
		}
		_, tells := f.Match(h, nil, make(map[string]string))
		return tells
	})
}

// Fails reports whether a successful response has an error in its body, or in its header.
func Fails(p *provider.Provider, base string, resp Response) bool {
	if TellsByHead(p, base, resp.Status, resp.Header) {
		return true
	}
	if !MayFail(resp.Status, resp.Header) {
		return false
	}
	body, _, _ := unpack(resp)
	if !Hints(body) && !hintsAtEntry(p, resp.Status, body) {
		return false
	}
	list, _ := values(resp)
	r := Reading{status: resp.Status}
	r.entry(p, base, resp.Header, list)
	return r.Entry.Means != "" || len(failures(list)) > 0
}

// hintsAtEntry reports whether the beginning of a successful response has the name of a member in it
// at which an error of the provider's file has its mark.
func hintsAtEntry(p *provider.Provider, status int, body []byte) bool {
	return p != nil && slices.ContainsFunc(p.Voice().Refusals, func(f provider.Refusal) bool {
		return len(f.At) > 0 && f.ForStatus(status) && bytes.Contains(body, []byte(`"`+f.At[0].Name))
	})
}

// failures are what of a successful response's values tells of an error: never its data.
func failures(list []any) []any {
	var failed []any
	for _, value := range list {
		switch v := value.(type) {
		case []any: // a batch of JSON-RPC; any other list is data
			for _, one := range v[:min(len(v), maxTexts)] {
				if member, _ := one.(map[string]any); member["jsonrpc"] != nil {
					failed = append(failed, failures([]any{member})...)
				}
			}
		case map[string]any:
			if part := failure(v); part != nil {
				failed = append(failed, part)
			}
		}
	}
	return failed
}

func failure(v map[string]any) any {
	result, _ := v["result"].(map[string]any)
	switch {
	case result != nil && result["isError"] == true:
		return result
	case v["jsonrpc"] == nil && carriesData(v):
		return nil
	case v["ok"] == false, v["success"] == false, isError(v["error"]), statesError(v):
		rest := make(map[string]any)
		for name, value := range v {
			if name != "data" && name != "result" && name != "jsonrpc" && name != "id" {
				rest[name] = value
			}
		}
		return rest
	case isError(v["errors"]):
		return map[string]any{"errors": v["errors"]}
	}
	return nil
}

// statesError reports whether an object has the status or the code of an error in a member of its
// own. Those that always have one write 0 or a word such as ok where there is none.
func statesError(v map[string]any) bool {
	for _, name := range []string{"status_code", "statusCode", "status"} {
		if status, ok := v[name].(float64); ok && status >= 400 && status < 600 {
			return true
		}
	}
	for _, name := range []string{"error_code", "errorCode", "errcode"} {
		switch code := v[name].(type) {
		case float64:
			return code != 0
		case string:
			return strings.ContainsFunc(code, unicode.IsLetter) && !noErrors.has(strings.ToLower(code))
		}
	}
	return false
}

var noErrors = wordSet(`ok okay success none null no_error noerror`)

// carriesData reports whether an object has other members than errors have: then it is data, in
// which somebody wrote of an error.
func carriesData(v map[string]any) bool {
	for name, value := range v {
		if !errorMembers.has(strings.Join(wordsOf(name), "")) && value != nil {
			return true
		}
	}
	return false
}

var errorMembers = wordSet(`ok success successful error errors errorcode errormessage errormsg errordescription erroruri errortype errorid code codes
	errordata errcode errmsg accountid httpstatus message messages msg detail details description title type status statuscode reason cause warning warnings needed provided
	scope scopes requiredscope requiredscopes missingscope missingscopes requestid traceid correlationid timestamp time path instance
	documentationurl moreinfo docs help hint info extensions responsemetadata data subcode errorsubcode faultcode faultstring fault
	acceptedscopes permission permissions requiredpermissions missingpermissions category links context meta`)

// isError reports whether a member that is named after errors holds one.
func isError(value any) bool {
	switch v := value.(type) {
	case string:
		return v != ""
	case bool:
		return v
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return false
}
