package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/luikyv/go-oidc/pkg/goidc"
)

// The paths of RFC 8628, as the library has them.
const (
	deviceAuthorizationPath = "/device_authorization"
	devicePath              = "/device"
)

const (
	// deviceSeconds is how long a code for another device lives.
	deviceSeconds = 300
	// shortDeviceSeconds is the same under the kind device-short.
	shortDeviceSeconds = 2
	// deviceInterval is between two requests for the token: short, for tests wait for it.
	deviceInterval = time.Second
	// slowDown lengthens that (RFC 8628 §3.5).
	slowDown = 5 * time.Second
)

// A deviceRecord is how often and when the token of one code was asked for.
type deviceRecord struct {
	userCode string
	interval time.Duration
	polls    int
	polled   time.Time
}

// offersDevice reports whether there are logins with a code for another device.
func (s *Sandbox) offersDevice() bool {
	return s.misbehaves(kindDevice) || s.misbehaves(kindDeviceShort) || s.misbehaves(kindDeviceSlow)
}

func (s *Sandbox) deviceLife() int {
	if s.misbehaves(kindDeviceShort) {
		return shortDeviceSeconds
	}
	return deviceSeconds
}

// advertiseDevice adds the endpoint to a metadata document.
func (sv *server) advertiseDevice(d map[string]any) {
	if !sv.offersDevice() {
		return
	}
	d["device_authorization_endpoint"] = sv.origin + deviceAuthorizationPath
	grants, _ := d["grant_types_supported"].([]any)
	d["grant_types_supported"] = append(append([]any{}, grants...), goidc.GrantDeviceCode)
}

// deviceRoutes are those of RFC 8628; nothing is there unless a kind offers them.
func (sv *server) deviceRoutes(mux *http.ServeMux) {
	for pattern, handler := range map[string]http.HandlerFunc{
		"POST " + deviceAuthorizationPath: sv.authorizeDevice,
		"GET " + devicePath:               sv.verifyDevice,
		devicePath + "/{session}":         sv.passOn,
	} {
		mux.Handle(pattern, sv.serving(partAuthorize, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !sv.offersDevice() {
				sv.refuse(w, "not_found", nil)
				return
			}
			handler(w, r)
		})))
	}
}

// authorizeDevice serves the device authorization endpoint: the library's response with the code in
// groups, a link that has it, and an interval of ours.
func (sv *server) authorizeDevice(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	id := r.PostFormValue("client_id")
	if user, _, ok := r.BasicAuth(); ok {
		id, _ = url.QueryUnescape(user)
	}
	if _, err := sv.allowed(id, r.PostFormValue("scope")); err != nil {
		answer := map[string]any{"error": goidc.ErrorCodeInvalidScope}
		if known, ok := asLibraryError(err); ok {
			answer["error"], answer["error_description"] = known.Code, known.Description
		}
		writeJSON(w, http.StatusBadRequest, answer)
		return
	}
	answer := sv.ask(w, r)
	var members map[string]any
	if json.Unmarshal(answer.body.Bytes(), &members) != nil || members["device_code"] == nil {
		answer.send(w)
		return
	}
	device, _ := members["device_code"].(string)
	code, _ := members["user_code"].(string)
	sv.store.mu.Lock()
	sv.store.devices[device] = &deviceRecord{userCode: code, interval: deviceInterval}
	sv.store.mu.Unlock()
	code = code[:len(code)/2] + "-" + code[len(code)/2:]
	members["user_code"] = code
	members["verification_uri_complete"] = sv.origin + devicePath + "?user_code=" + url.QueryEscape(code)
	members["interval"], members["expires_in"] = int(deviceInterval.Seconds()), sv.deviceLife()
	writeJSON(w, http.StatusOK, members)
}

// verifyDevice serves the page for the code. People type one in any case, with and without its
// dash (RFC 8628 §6.1).
func (sv *server) verifyDevice(w http.ResponseWriter, r *http.Request) {
	typed := strings.ToUpper(r.URL.Query().Get("user_code"))
	code := strings.Map(func(c rune) rune {
		if c == '-' || c == ' ' {
			return -1
		}
		return c
	}, typed)
	r.URL.RawQuery = url.Values{"user_code": {code}}.Encode()
	sv.passOn(w, r)
}

// promptForCode is the page on which a code is entered.
func (sv *server) promptForCode(w http.ResponseWriter, r *http.Request) error {
	data := pageData{Title: "Enter the code", CodeAction: devicePath, Code: r.URL.Query().Get("user_code")}
	if data.Code != "" {
		data.Note = "There is no such code, or it was used, or it has expired."
	}
	return page(w, http.StatusOK, data)
}

// confirmDevice is the last page of someone who agreed.
func (*server) confirmDevice(w http.ResponseWriter, _ *http.Request) error {
	return page(w, http.StatusOK, pageData{Title: "You are logged in", Problem: "Go back to the device on which you began. You can close this window."})
}

// pollDevice is what the token endpoint says before the library does; nil where it says nothing.
// Where consent needs no click, it is given or denied before the second request for the token.
func (sv *server) pollDevice(device string) map[string]any {
	sv.store.mu.Lock()
	record := sv.store.devices[device]
	if record == nil {
		sv.store.mu.Unlock()
		return nil
	}
	now := sv.now()
	hurried := record.polls > 0 && now.Sub(record.polled) < record.interval
	record.polls++
	record.polled = now
	polls, code := record.polls, record.userCode
	sv.store.mu.Unlock()
	if hurried || polls == 1 && sv.misbehaves(kindDeviceSlow) {
		sv.store.mu.Lock()
		record.interval += slowDown
		sv.store.mu.Unlock()
		return map[string]any{"error": goidc.ErrorCodeSlowDown}
	}
	if polls > 1 && sv.grant.how != grantAsk {
		visit, _ := http.NewRequest(http.MethodGet, sv.origin+devicePath+"?user_code="+url.QueryEscape(code), http.NoBody) // of our own parts: it parses
		sv.ask(&capture{header: make(http.Header)}, visit)
	}
	return nil
}

// SessionByUserCode implements [goidc.DeviceAuthManager]. What was decided is not decided anew.
func (v view) SessionByUserCode(ctx context.Context, code string) (*goidc.AuthnSession, error) {
	return v.deviceSession(func(a *goidc.AuthnSession) bool { return a.UserCode == code && a.Status == goidc.StatusPending })
}

// SessionByDeviceCode implements [goidc.DeviceAuthManager].
func (v view) SessionByDeviceCode(_ context.Context, code string) (*goidc.AuthnSession, error) {
	return v.deviceSession(func(a *goidc.AuthnSession) bool { return a.DeviceCode == code })
}

func (v view) deviceSession(is func(*goidc.AuthnSession) bool) (*goidc.AuthnSession, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, r := range v.sessions {
		if r.DeviceCode != "" && is(&r.AuthnSession) {
			return v.session(r), nil
		}
	}
	return nil, goidc.ErrNotFound
}

// GrantByDeviceCode implements [goidc.DeviceAuthManager].
func (v view) GrantByDeviceCode(_ context.Context, code string) (*goidc.Grant, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for id, r := range v.grants {
		if code != "" && r.DeviceCode == code {
			return v.grant(id)
		}
	}
	return nil, goidc.ErrNotFound
}
