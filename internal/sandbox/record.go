package sandbox

import (
	"net/http"
	"slices"
	"time"
)

// A Request is one that the sandbox served. It never holds a query, a header or a
// body.
type Request struct {
	Time   time.Time `json:"time"`   // by the sandbox's clock, when the answer began
	Server string    `json:"server"` // by its name in the provider file; "mcp" for the one that serves every region
	Part   string    `json:"part"`   // metadata, authorize, token, revoke, inspect, userinfo, api, gateway or mcp
	Method string    `json:"method"`
	Host   string    `json:"host"`
	Path   string    `json:"path"`   // without the query
	Status int       `json:"status"` // 0 where no answer was given
}

// maxRequests bounds what is remembered; a load test makes many.
const maxRequests = 100_000

// record notes a request; it does so before the first byte of the answer goes out, so
// that a client which has the answer finds its request in the list.
func (s *Sandbox) record(req Request) {
	s.mu.Lock()
	if len(s.requests) >= maxRequests {
		s.requests = slices.Delete(s.requests, 0, maxRequests/2)
		s.forgotten += maxRequests / 2
	}
	s.requests = append(s.requests, req)
	s.mu.Unlock()
	if s.log != nil {
		s.log(req)
	}
}

// withRecord notes what next answers.
func (s *Sandbox) withRecord(server, part string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req := Request{Server: server, Part: part, Method: r.Method, Host: r.Host, Path: r.URL.Path}
		rec := &recorder{ResponseWriter: w, note: func(status int) {
			req.Time, req.Status = s.now(), status
			s.record(req)
		}}
		finished := false
		defer func() {
			if !finished {
				rec.began(0)
			}
		}()
		next.ServeHTTP(rec, r)
		finished = true
		rec.began(http.StatusOK)
	})
}

// A recorder calls note once, with the status of the answer.
type recorder struct {
	http.ResponseWriter
	note func(status int)
	done bool
}

func (r *recorder) began(status int) {
	if !r.done {
		r.done = true
		r.note(status)
	}
}

// Unwrap serves [http.ResponseController].
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) WriteHeader(status int) {
	r.began(status)
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(text []byte) (int, error) {
	r.began(http.StatusOK)
	return r.ResponseWriter.Write(text)
}
