//go:build ignore

// Measure runs commands in turn with a bare program, and prints the median time of
// each, its ratio to the bare one's, and the most memory that it had.
//
//	measure BARE "LIMIT NAME: COMMAND ARGS"...
package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// rounds is odd, so that the median is one that was measured.
const rounds = 101

type subject struct {
	limit, name string
	argv        []string
	times       []time.Duration
	peak        int64 // KiB
}

func main() {
	subjects := []*subject{{name: "a bare Go program", argv: strings.Fields(os.Args[1])}}
	for _, text := range os.Args[2:] {
		limit, rest, _ := strings.Cut(text, " ")
		name, command, _ := strings.Cut(rest, ": ")
		subjects = append(subjects, &subject{limit: limit, name: name, argv: strings.Fields(command)})
	}
	for range rounds {
		for _, s := range subjects {
			s.run()
		}
	}
	bare := subjects[0].median()
	fmt.Printf("%-22s %10s %8s %8s %10s\n", "", "median", "ratio", "limit", "peak")
	for _, s := range subjects {
		fmt.Printf("%-22s %8.2fms %8.2f %8s %7.1fMiB\n", s.name, float64(s.median())/1e6, float64(s.median())/float64(bare), s.limit, float64(s.peak)/1024)
	}
}

func (s *subject) run() {
	c := exec.Command(s.argv[0], s.argv[1:]...)
	start := time.Now()
	err := c.Run()
	took := time.Since(start)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", s.name, err)
		os.Exit(1)
	}
	s.times = append(s.times, took)
	s.peak = max(s.peak, c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
}

func (s *subject) median() time.Duration {
	slices.Sort(s.times)
	return s.times[len(s.times)/2]
}
