package storetest

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/oauth/store"
)

func (f *fixture) lease(t *testing.T, in store.Store) *store.Lease {
	t.Helper()
	lease, err := in.Lease(t.Context(), f.key, f.claim())
	if err != nil {
		t.Fatal(err)
	}
	return lease
}

// isLocal reports whether the leases of the store are locks of this machine.
func (f *fixture) isLocal(t *testing.T) bool {
	t.Helper()
	entries, err := os.ReadDir(f.locks)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries) > 0
}

// testLease: one at a time has it, who waits is told and gets it next, and the numbers grow.
func testLease(t *testing.T, f *fixture) {
	first := f.lease(t, f.store)
	if err := first.Lost(); err != nil {
		t.Errorf("it is lost from the start: %v", err)
	}
	told, had := make(chan struct{}, 2), make(chan *store.Lease, 1)
	go func() {
		claim := f.claim()
		claim.Waiting = func() { told <- struct{}{} }
		next, err := f.again().Lease(t.Context(), f.key, claim)
		if err != nil {
			t.Error(err)
		}
		had <- next
	}()
	select {
	case <-told:
	case <-had:
		t.Fatal("two have it")
	case <-time.After(freed):
		t.Fatal("who waits is not told")
	}
	first.Release()
	first.Release() // twice is no harm
	second := <-had
	if second.Number() <= first.Number() || first.Number() <= 0 {
		t.Errorf("the numbers are %d, %d", first.Number(), second.Number())
	}
	if len(told) != 0 {
		t.Error("it was told twice that it has to wait")
	}

	ctx, end := context.WithCancel(t.Context())
	claim := f.claim()
	claim.Waiting = end
	if _, err := f.again().Lease(ctx, f.key, claim); !errors.Is(err, context.Canceled) {
		t.Errorf("a wait that was ended: %v", err)
	}
	other := f.key
	other.Manifest += "-other"
	elsewhere, err := f.store.Lease(t.Context(), other, f.claim())
	if err != nil {
		t.Fatalf("that of another key: %v", err)
	}
	elsewhere.Release()

	old := secrets("a")
	f.save(t, old)
	if err := f.store.Swap(t.Context(), f.key, second, old, secrets("b")); err != nil {
		t.Errorf("a swap under the lease: %v", err)
	}
	second.Release()
	third := f.lease(t, f.again())
	defer third.Release()
	if third.Number() <= second.Number() {
		t.Errorf("the numbers are %d, %d", second.Number(), third.Number())
	}
	if f.isLocal(t) || f.kind.OneProcess {
		return // the number is checked by those who hold the lock
	}
	stale := store.NewLease(second.Number(), func() error { return nil }, func() {}) // of one who knows of nothing
	err = f.store.Swap(t.Context(), f.key, stale, secrets("b"), secrets("c"))
	if _, fenced := errors.AsType[*store.FencedError](err); !fenced {
		t.Errorf("a swap with an older number: %v", err)
	}
	if !Load(t, f.store, f.key).SameSecrets(secrets("b")) {
		t.Error("it was written over")
	}
}

// testProcessLease counts in a file, which no two may do at once.
func testProcessLease(t *testing.T, f *fixture) {
	const processes, rounds = 3, 3
	counter := t.TempDir() + "/counter"
	if err := os.WriteFile(counter, []byte("0"), 0o600); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range processes {
		p := f.start(t, roleCount, counter, "3")
		wait.Go(func() {
			if got := p.line(); got != "done" {
				t.Errorf("a process says %q", got)
			}
		})
	}
	wait.Wait()
	if got, err := os.ReadFile(counter); err != nil || string(got) != "9" {
		t.Errorf("%d processes counted to %s in %d rounds each, %v", processes, got, rounds, err)
	}
}

// testProcessSwaps: of processes that replace one record at once, one does.
func testProcessSwaps(t *testing.T, f *fixture) {
	const processes = 4
	f.save(t, secrets("old"))
	var all []*process
	for i := range processes {
		p := f.start(t, roleSwap, "new"+string(rune('0'+i)))
		if got := p.line(); got != "ready" {
			t.Fatalf("a process says %q", got)
		}
		all = append(all, p)
	}
	for _, p := range all {
		p.say("go")
	}
	var winners []string
	for _, p := range all {
		switch got := p.line(); got {
		case "changed":
		default:
			winners = append(winners, got)
		}
	}
	f.oneWinner(t, winners)
}

// freed bounds how long a lease may last whose holder was killed, and any other wait.
const freed = 40 * time.Second

// testKilledHolder: what a process had that was killed, another one gets, with a greater number.
func testKilledHolder(t *testing.T, f *fixture) {
	f.save(t, secrets("old"))
	victim := f.start(t, roleHold)
	number := victim.number()
	victim.kill()
	ctx, end := context.WithTimeout(t.Context(), freed)
	defer end()
	lease, err := f.store.Lease(ctx, f.key, f.claim())
	if err != nil {
		t.Fatalf("the lease of a killed process is not free after %s: %v", freed, err)
	}
	defer lease.Release()
	if lease.Number() <= number {
		t.Errorf("the numbers are %d, %d", number, lease.Number())
	}
	if err := f.store.Swap(t.Context(), f.key, lease, secrets("old"), secrets("new")); err != nil {
		t.Error(err)
	}
}

// testStoppedHolder: a process that sleeps past its lease writes nothing when it wakes.
func testStoppedHolder(t *testing.T, f *fixture) {
	f.save(t, secrets("old"))
	sleeper := f.start(t, roleHold)
	number := sleeper.number()
	if !sleeper.stop() {
		t.Skip("this system does not stop a process for a time")
	}
	if f.isLocal(t) { // it lasts as long as the process, unless somebody takes the lock away
		for _, entry := range must(os.ReadDir(f.locks)) {
			if err := os.Remove(f.locks + "/" + entry.Name()); err != nil {
				t.Fatal(err)
			}
		}
	}
	lease := f.lease(t, f.store)
	defer lease.Release()
	if lease.Number() <= number {
		t.Errorf("the numbers are %d, %d", number, lease.Number())
	}
	sleeper.wake()
	sleeper.say("go")
	if got := sleeper.line(); got != "fenced" {
		t.Errorf("a process that lost its lease says %q", got)
	}
	if !Load(t, f.store, f.key).SameSecrets(secrets("old")) {
		t.Error("it has written")
	}
}

// testKilledWriter: a process that dies in the middle of a Save leaves the old record or the new
// one.
func testKilledWriter(t *testing.T, f *fixture) {
	const rounds = 4
	for round := range rounds {
		f.save(t, whole(0, 4<<10))
		writer := f.start(t, roleSave)
		for range round + 1 {
			writer.line() // it begins to write now
		}
		writer.kill()
		c := Load(t, f.again(), f.key)
		if !c.Access.Equal(c.Refresh) {
			t.Errorf("round %d: it left a mixture", round)
		}
		f.save(t, secrets("and it can be written to"))
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
