package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/google/go-cmp/cmp"
)

// A Kind is one kind of store, as [Run] comes to it.
type Kind struct {
	Name string
	// Place is where one such store is, as a text by which every process finds it. It may hold
	// other records: keys of this test are its own.
	Place func(t testing.TB) string
	// Open opens the store of a place.
	Open func(place string) store.Store
	// OneProcess says that no other process can open it.
	OneProcess bool
	// SwapsUnderLease says that only those who hold the lease are ordered when they swap.
	SwapsUnderLease bool
	// Large is how many bytes, about, a record may have that it has to keep; 0 is 64 KiB.
	Large int
}

// Run tests that a kind of store keeps the contract of [store.Store]. The processes that it starts
// are those of the test's own program, whose TestMain has to call [Main].
func Run(t *testing.T, kind Kind) {
	place := kind.Place(t)
	for _, test := range []struct {
		name      string
		processes bool
		run       func(t *testing.T, f *fixture)
	}{
		{"what is kept", false, testKept},
		{"every part of the key counts", false, testKeys},
		{"sizes and texts", false, testTexts},
		{"times", false, testTimes},
		{"what cannot be read", false, testCorrupt},
		{"delete", false, testDelete},
		{"swap", false, testSwap},
		{"swaps at once", false, testSwaps},
		{"swaps of processes at once", true, testProcessSwaps},
		{"probe", false, testProbe},
		{"writes at once", false, testConcurrent},
		{"an ended context", false, testEnded},
		{"a lease is one holder's", false, testLease},
		{"a lease is one process's", true, testProcessLease},
		{"a killed holder", true, testKilledHolder},
		{"a stopped holder", true, testStoppedHolder},
		{"a killed writer", true, testKilledWriter},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.processes && kind.OneProcess {
				t.Skip("this store is one of a single process")
			}
			t.Parallel() // much of it is waiting
			f := &fixture{kind: kind, place: place, locks: t.TempDir(), store: kind.Open(place)}
			f.key = store.Key{Issuer: "https://auth.example.com", ClientID: "client", Manifest: "conformance-" + rand.Text()}
			t.Cleanup(func() { _ = f.store.Delete(context.Background(), f.key) })
			test.run(t, f)
		})
	}
}

// A fixture is what one test works with: a store, and a key that is its own.
type fixture struct {
	kind  Kind
	place string
	locks string // of claims
	store store.Store
	key   store.Key
}

// again opens the store as somebody else would.
func (f *fixture) again() store.Store {
	if f.kind.OneProcess {
		return f.store
	}
	return f.kind.Open(f.place)
}

func (f *fixture) save(t *testing.T, c *credential.Credential) {
	t.Helper()
	if err := f.store.Save(t.Context(), f.key, c); err != nil {
		t.Fatal(err)
	}
}

// secrets is a credential with an access token, and a refresh token that goes with it.
func secrets(access string) *credential.Credential {
	return &credential.Credential{Access: credential.NewSecret(access), Refresh: credential.NewSecret("r" + access)}
}

// testKept: what is stored is what was saved, and each has its own.
func testKept(t *testing.T, f *fixture) {
	if _, err := f.store.Load(t.Context(), f.key); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("Load from an empty store: %v", err)
	}
	saved := FullCredential()
	f.save(t, saved)
	want := *saved
	want.Source, want.Lost = "", scopes.Set{} // not stored
	for _, s := range []store.Store{f.store, f.again()} {
		if diff := cmp.Diff(&want, Load(t, s, f.key)); diff != "" {
			t.Error(diff)
		}
	}
	saved.Reach[0].IDs[0] = "changed"
	Load(t, f.store, f.key).Reach[0].IDs[1] = "changed"
	if diff := cmp.Diff([]string{"1", "2"}, Load(t, f.store, f.key).ReachOf("project")); diff != "" {
		t.Errorf("what is kept is no copy: %s", diff)
	}
	least := &credential.Credential{Access: credential.NewSecret("a")}
	f.save(t, least)
	if diff := cmp.Diff(least, Load(t, f.store, f.key)); diff != "" {
		t.Error(diff)
	}
	if f.store.Name() == "" {
		t.Error("a store without a name")
	}
}

func testKeys(t *testing.T, f *fixture) {
	key := f.key
	f.save(t, secrets("own"))
	others := []store.Key{
		{Issuer: key.Issuer + "/", ClientID: key.ClientID, Manifest: key.Manifest},
		{Issuer: key.Issuer, ClientID: key.ClientID + "2", Manifest: key.Manifest},
		{Issuer: key.Issuer, ClientID: key.ClientID, Manifest: "../" + key.Manifest},
		{Issuer: key.Issuer, ClientID: key.ClientID + key.Manifest}, // the same letters
		{Issuer: key.Issuer, ClientID: key.ClientID, Manifest: key.Manifest, Account: "work"},
		store.RegistrationKey(key.Issuer, key.Manifest),
	}
	for i, other := range others {
		if _, err := f.store.Load(t.Context(), other); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%+v finds the credential of %+v: %v", other, key, err)
		}
		if err := f.store.Save(t.Context(), other, secrets(fmt.Sprint("other", i))); err != nil {
			t.Fatal(err)
		}
	}
	for i, other := range others {
		if got := Load(t, f.store, other).Access.Reveal(); got != fmt.Sprint("other", i) {
			t.Errorf("%+v holds %q", other, got)
		}
		if err := f.store.Delete(t.Context(), other); err != nil {
			t.Error(err)
		}
	}
	Load(t, f.store, key)
}

func testTexts(t *testing.T, f *fixture) {
	large := f.kind.Large
	if large == 0 {
		large = 64 << 10
	}
	for name, c := range map[string]*credential.Credential{
		"large":      sized(large),
		"characters": {Access: credential.NewSecret("~!*'();:@&=+$,/?%#[]<>\\^`{|}\""), Hosts: []string{"例え.jp", "b\u00fccher.example", "<&>\u2028"}},
		"no text":    {Access: credential.NewSecret("a"), Resources: []string{"", "line\nbreak\ttab \"quote\" 𝄞 \U0010FFFD"}},
	} {
		f.save(t, c)
		if diff := cmp.Diff(c, Load(t, f.again(), f.key), cmp.Comparer(func(a, b credential.Secret) bool { return a.Equal(b) || a.Empty() && b.Empty() })); diff != "" {
			t.Errorf("%s: %s", name, cut(diff))
		}
	}
}

// sized is a credential whose record has about that many bytes.
func sized(bytes int) *credential.Credential {
	const token, host = 8 << 10, 64
	c := secrets(strings.Repeat("a", min(token, bytes/3)))
	for n := 2 * len(c.Access.Reveal()); n < bytes-host; n += host + len(`"",`) {
		c.Hosts = append(c.Hosts, strings.Repeat("h", host))
	}
	return c
}

// cut is what fits into a message of a test.
func cut(text string) string {
	if len(text) > 1000 {
		return text[:1000] + "…"
	}
	return text
}

func testTimes(t *testing.T, f *fixture) {
	for _, at := range []time.Time{{}, time.Unix(1, 0).UTC(), time.Unix(4102444800, 0).UTC(), time.Unix(253402300799, 0).UTC()} {
		c := secrets("a")
		c.ExpiresAt, c.ObtainedAt, c.Renewal.LostAt = at, at, at
		f.save(t, c)
		got := Load(t, f.store, f.key)
		if !got.ExpiresAt.Equal(at) || !got.ObtainedAt.Equal(at) || !got.Renewal.LostAt.Equal(at) {
			t.Errorf("%v came back as %v, %v, %v", at, got.ExpiresAt, got.ObtainedAt, got.Renewal.LostAt)
		}
	}
}

// testCorrupt: a record that nobody can use is told from none, and can be replaced and removed.
func testCorrupt(t *testing.T, f *fixture) {
	f.save(t, &credential.Credential{Refresh: credential.NewSecret(Marked)})
	_, err := f.store.Load(t.Context(), f.key)
	if _, corrupt := errors.AsType[*store.CorruptError](err); !corrupt || Leaks(err.Error()) {
		t.Errorf("Load: %v", err)
	}
	f.save(t, secrets("a"))
	Load(t, f.store, f.key)
}

func testDelete(t *testing.T, f *fixture) {
	if err := f.store.Delete(t.Context(), f.key); err != nil {
		t.Errorf("of what is not there: %v", err)
	}
	f.save(t, secrets("a"))
	if err := f.store.Delete(t.Context(), f.key); err != nil {
		t.Error(err)
	}
	if _, err := f.again().Load(t.Context(), f.key); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Load after Delete: %v", err)
	}
	f.save(t, secrets("b"))
	Load(t, f.again(), f.key)
}

// testSwap replaces what it knows, and nothing else.
func testSwap(t *testing.T, f *fixture) {
	first, second, theirs := secrets("a1"), secrets("a2"), secrets("a1")
	theirs.Refresh = credential.NewSecret("r3")
	f.save(t, first)
	known := *first
	known.Server = "what is known of it counts for nothing"
	if err := f.store.Swap(t.Context(), f.key, nil, &known, second); err != nil {
		t.Fatal(err)
	}
	f.save(t, theirs) // somebody who has no lease
	for _, old := range []*credential.Credential{first, second} {
		err := f.store.Swap(t.Context(), f.key, nil, old, secrets("a4"))
		changed, ok := errors.AsType[*store.ChangedError](err)
		if !ok || changed.Current == nil || !changed.Current.SameSecrets(theirs) {
			t.Errorf("err = %v", err)
		}
	}
	if !Load(t, f.store, f.key).SameSecrets(theirs) {
		t.Error("it was written over")
	}
	if err := f.store.Delete(t.Context(), f.key); err != nil {
		t.Fatal(err)
	}
	err := f.store.Swap(t.Context(), f.key, nil, theirs, second)
	if changed, ok := errors.AsType[*store.ChangedError](err); !ok || changed.Current != nil {
		t.Errorf("err = %v", err)
	}
	if _, err := f.store.Load(t.Context(), f.key); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("what was removed is back: %v", err)
	}
}

// swap puts a credential of its own in place of old, under a lease where the store wants that.
func (f *fixture) swap(ctx context.Context, in store.Store, old *credential.Credential, name string) (won bool, err error) {
	var lease *store.Lease
	if f.kind.SwapsUnderLease {
		if lease, err = in.Lease(ctx, f.key, f.claim()); err != nil {
			return false, err
		}
		defer lease.Release()
	}
	err = in.Swap(ctx, f.key, lease, old, secrets(name))
	if _, changed := errors.AsType[*store.ChangedError](err); changed {
		return false, nil
	}
	return err == nil, err
}

func (f *fixture) claim() store.Claim { return store.Claim{LockDir: f.locks} }

// testSwaps: of many that replace one record at once, one does.
func testSwaps(t *testing.T, f *fixture) {
	const swappers, rounds = 6, 2
	for round := range rounds {
		old := secrets(fmt.Sprint("old", round))
		f.save(t, old)
		winners := make(chan string, swappers)
		var wait sync.WaitGroup
		for i := range swappers {
			wait.Go(func() {
				name := fmt.Sprint("new", round, "-", i)
				won, err := f.swap(t.Context(), f.again(), old, name)
				if err != nil {
					t.Error(err)
				}
				if won {
					winners <- name
				}
			})
		}
		wait.Wait()
		close(winners)
		f.oneWinner(t, slices.Collect(values(winners)))
	}
}

func values[T any](of <-chan T) func(yield func(T) bool) {
	return func(yield func(T) bool) {
		for v := range of {
			if !yield(v) {
				return
			}
		}
	}
}

func (f *fixture) oneWinner(t *testing.T, winners []string) {
	t.Helper()
	if kept := Load(t, f.store, f.key).Access.Reveal(); len(winners) != 1 || winners[0] != kept {
		t.Errorf("%q replaced it, and %q is kept", winners, kept)
	}
}

func testProbe(t *testing.T, f *fixture) {
	if err := f.store.Probe(t.Context(), f.key); err != nil {
		t.Error(err)
	}
	if _, err := f.store.Load(t.Context(), f.key); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("it left something: %v", err)
	}
	f.save(t, FullCredential())
	before := Load(t, f.store, f.key)
	if err := f.store.Probe(t.Context(), f.key); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, Load(t, f.store, f.key)); diff != "" {
		t.Error(diff)
	}
}

// testConcurrent writes whole credentials and reads them: a mixture of two shows.
func testConcurrent(t *testing.T, f *fixture) {
	const writers, rounds = 4, 3
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			text, in := strings.Repeat(fmt.Sprint(w), 200), f.again()
			for range rounds {
				err := in.Save(t.Context(), f.key, &credential.Credential{Access: credential.NewSecret(text), Refresh: credential.NewSecret(text)})
				// A store that reads back may see another writer's.
				if _, other := errors.AsType[*store.NotKeptError](err); err != nil && !other {
					t.Error(err)
				}
				c, err := in.Load(t.Context(), f.key)
				if err != nil {
					t.Error(err)
				} else if !c.Access.Equal(c.Refresh) {
					t.Errorf("a mixture: %q and %q", c.Access.Reveal(), c.Refresh.Reveal())
				}
			}
		})
	}
	wait.Wait()
}

func testEnded(t *testing.T, f *fixture) {
	f.save(t, secrets("a"))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, loadErr := f.store.Load(ended, f.key)
	for name, err := range map[string]error{
		"Load": loadErr, "Save": f.store.Save(ended, f.key, secrets("b")), "Swap": f.store.Swap(ended, f.key, nil, secrets("a"), secrets("b")),
		"Probe": f.store.Probe(ended, f.key), "Delete": f.store.Delete(ended, f.key),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !Load(t, f.store, f.key).SameSecrets(secrets("a")) {
		t.Error("it was changed")
	}
}
