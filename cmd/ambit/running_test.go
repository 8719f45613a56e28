package main

import (
	"strings"
	"sync"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ambit-auth/ambit/internal/sandbox"
)

// running holds the sandbox of each script that runs.
var running sandboxes

type sandboxes struct {
	mu   sync.Mutex
	of   map[*testscript.TestScript]*sandbox.Sandbox
	seen map[*testscript.TestScript]int // requests that the script has counted
}

func (r *sandboxes) put(ts *testscript.TestScript, s *sandbox.Sandbox) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == nil {
		r.of = make(map[*testscript.TestScript]*sandbox.Sandbox)
		r.seen = make(map[*testscript.TestScript]int)
	}
	r.of[ts] = s
	r.seen[ts] = 0
}

func (r *sandboxes) get(ts *testscript.TestScript) *sandbox.Sandbox {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.of[ts]
	if s == nil {
		ts.Fatalf("there is no sandbox: begin with the command sandbox")
	}
	return s
}

// since gives the requests that the script has not counted yet.
func (r *sandboxes) since(ts *testscript.TestScript) []sandbox.Request {
	s := r.get(ts)
	r.mu.Lock()
	defer r.mu.Unlock()
	all := s.Requests()
	fresh := all[r.seen[ts]:]
	r.seen[ts] = len(all)
	return fresh
}

// requested is "requested LINE...": these requests, as METHOD PATH, were served since the
// last such line, in this order, and no others; but for what the browser asked for.
func requested(ts *testscript.TestScript, _ bool, args []string) {
	var seen []string
	for _, r := range running.since(ts) {
		if r.Part != "authorize" {
			seen = append(seen, r.Method+" "+r.Path)
		}
	}
	if diff := cmp.Diff(args, seen); diff != "" {
		ts.Fatalf("other requests than wanted:\n%s\n%s", strings.Join(seen, "\n"), diff)
	}
}
