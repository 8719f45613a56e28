package guard_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/guard"
)

// A body that is copied arrives whole or is an error; one beyond the limit is not cut.
func TestCopy(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "0123456789") }))
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	response, err := (&guard.Requester{}).Copy(&got, request, 10)
	if err != nil || got.String() != "0123456789" || response.Body != nil {
		t.Errorf("%q, %v", got.String(), err)
	}
	_, err = (&guard.Requester{}).Copy(io.Discard, request, 9)
	if large, ok := errors.AsType[files.TooLargeError](err); !ok || large != 9 {
		t.Errorf("too large: %v", err)
	}
	if _, err = (&guard.Requester{}).Copy(full{}, request, 10); !errors.Is(err, errFull) {
		t.Errorf("a disk that is full: %v", err)
	}
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
