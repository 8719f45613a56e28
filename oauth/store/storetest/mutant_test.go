package storetest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
)

// The mutants are stores that break one promise each. All else is that of the file store.
type (
	torn      struct{ store.File } // half of a record is written, and then the other
	blind     struct{ store.File } // a swap does not look
	hasty     struct{ store.File } // a swap looks, and writes later
	generous  struct{ store.File } // everybody gets a lease
	silent    struct{ store.File } // nobody is told of the wait
	forgetful struct{ store.File } // the numbers do not grow
	unfenced  struct{ store.File } // a swap does not ask for the number
	clinging  struct{ store.File } // what is removed is still there
	littering struct{ store.File } // a probe leaves something
	short     struct{ store.File } // no room for more than little
	careless  struct{ store.File } // keys are taken for one another
	deaf      struct{ store.File } // an ended context is nothing to it
)

var halves, looks atomic.Int64

func (s torn) Save(ctx context.Context, key store.Key, c *credential.Credential) error {
	halves.Add(1)
	defer halves.Add(-1)
	return s.File.Save(ctx, key, c)
}

func (s torn) Load(ctx context.Context, key store.Key) (*credential.Credential, error) {
	c, err := s.File.Load(ctx, key)
	if err == nil && halves.Load() > 0 {
		c.Refresh = credential.NewSecret("half")
	}
	return c, err
}

func (s blind) Swap(ctx context.Context, key store.Key, _ *store.Lease, _, next *credential.Credential) error {
	return s.Save(ctx, key, next)
}

func (s hasty) Swap(ctx context.Context, key store.Key, lease *store.Lease, old, next *credential.Credential) error {
	current, err := s.Load(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return &store.ChangedError{}
	}
	if err == nil && !current.SameSecrets(old) {
		return &store.ChangedError{Current: current}
	}
	looks.Add(1)
	for spins := 0; looks.Load() < 2 && spins < 1e6; spins++ {
		runtime.Gosched() // until another one has looked too
	}
	return errors.Join(err, s.Save(ctx, key, next))
}

var grants atomic.Int64

func (generous) Lease(context.Context, store.Key, store.Claim) (*store.Lease, error) {
	return store.NewLease(grants.Add(1), func() error { return nil }, func() {}), nil
}

func (s silent) Lease(ctx context.Context, key store.Key, claim store.Claim) (*store.Lease, error) {
	waiting := claim.Waiting
	claim.Waiting = func() {
		if waiting != nil {
			waiting()
			waiting()
		}
	}
	return s.File.Lease(ctx, key, claim)
}

func (s forgetful) Lease(ctx context.Context, key store.Key, claim store.Claim) (*store.Lease, error) {
	lease, err := s.File.Lease(ctx, key, claim)
	if err != nil {
		return nil, err
	}
	return store.NewLease(1, lease.Lost, lease.Release), nil
}

func (s unfenced) Swap(ctx context.Context, key store.Key, _ *store.Lease, old, next *credential.Credential) error {
	return s.File.Swap(ctx, key, nil, old, next)
}

func (s clinging) Delete(ctx context.Context, _ store.Key) error { return ctx.Err() }

func (s littering) Probe(ctx context.Context, key store.Key) error {
	if _, err := s.Load(ctx, key); errors.Is(err, store.ErrNotFound) {
		return s.Save(ctx, key, &credential.Credential{Access: credential.NewSecret("x")})
	}
	return s.File.Probe(ctx, key)
}

func (s short) Save(ctx context.Context, key store.Key, c *credential.Credential) error {
	if len(c.Hosts) > 100 {
		return &store.NotKeptError{Store: s.Name(), Problem: "has no room"}
	}
	return s.File.Save(ctx, key, c)
}

func careful(key store.Key) store.Key {
	return store.Key{Issuer: strings.TrimSuffix(key.Issuer, "/"), ClientID: key.ClientID, Manifest: key.Manifest}
}

func (s careless) Load(ctx context.Context, key store.Key) (*credential.Credential, error) {
	return s.File.Load(ctx, careful(key))
}

func (s careless) Save(ctx context.Context, key store.Key, c *credential.Credential) error {
	return s.File.Save(ctx, careful(key), c)
}

func (s deaf) Save(ctx context.Context, key store.Key, c *credential.Credential) error {
	return s.File.Save(context.WithoutCancel(ctx), key, c)
}

// broken are the mutants, each with the test that finds it.
var broken = map[string]struct {
	open func(store.File) store.Store
	test string
}{
	"torn":      {func(f store.File) store.Store { return torn{f} }, "writes_at_once"},
	"blind":     {func(f store.File) store.Store { return blind{f} }, "swap"},
	"hasty":     {func(f store.File) store.Store { return hasty{f} }, "swaps_at_once"},
	"generous":  {func(f store.File) store.Store { return generous{f} }, "a_lease_is_one_holder's"},
	"silent":    {func(f store.File) store.Store { return silent{f} }, "a_lease_is_one_holder's"},
	"forgetful": {func(f store.File) store.Store { return forgetful{f} }, "a_killed_holder"},
	"unfenced":  {func(f store.File) store.Store { return unfenced{f} }, "a_stopped_holder"},
	"clinging":  {func(f store.File) store.Store { return clinging{f} }, "delete"},
	"littering": {func(f store.File) store.Store { return littering{f} }, "probe"},
	"short":     {func(f store.File) store.Store { return short{f} }, "sizes_and_texts"},
	"careless":  {func(f store.File) store.Store { return careless{f} }, "every_part_of_the_key_counts"},
	"deaf":      {func(f store.File) store.Store { return deaf{f} }, "an_ended_context"},
}

func mutants() []storetest.Kind {
	var kinds []storetest.Kind
	for name, m := range broken {
		kinds = append(kinds, storetest.Kind{
			Name:  name,
			Place: func(t testing.TB) string { return filepath.Join(t.TempDir(), "store") },
			Open:  func(place string) store.Store { return m.open(store.File{Dir: place}) },
		})
	}
	return kinds
}

// mutantVariable says which mutant [TestMutant] is to test, in a process of its own.
const mutantVariable = "AMBIT_STORETEST_MUTANT"

func TestMutant(t *testing.T) {
	name := os.Getenv(mutantVariable)
	if name == "" {
		t.Skip("TestRunCanFail runs it")
	}
	for _, kind := range mutants() {
		if kind.Name == name {
			storetest.Run(t, kind)
		}
	}
}

// The contract finds whoever breaks it.
func TestRunCanFail(t *testing.T) {
	for name, m := range broken {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMutant$/^"+m.test+"$")
			cmd.Env = append(os.Environ(), mutantVariable+"="+name)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestMutant/"+m.test) {
				t.Errorf("it passes %s:\n%s", m.test, out)
			}
		})
	}
}
