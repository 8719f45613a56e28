package ambit_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
)

// key is that of a login of the session.
func key(s *ambit.Session) store.Key {
	return store.Key{Issuer: s.Server().Issuer, ClientID: s.Provider().Client.IDFor(s.Server().Name), Manifest: s.Manifest().Name}
}

// change changes the stored login behind the back of the session.
func (w *world) change(t *testing.T, s *ambit.Session, by func(*credential.Credential)) {
	t.Helper()
	stored, err := w.store.Load(t.Context(), key(s))
	if err != nil {
		t.Fatal(err)
	}
	changed := *stored
	by(&changed)
	if err := w.store.Save(t.Context(), key(s), &changed); err != nil {
		t.Fatal(err)
	}
}

// A login is widened by what is named: what it held stays, whatever is declared.
func TestWiden(t *testing.T) {
	w := newWorld(t, sandbox.Options{Grant: "all"})
	s := w.open(t, nil)
	first, err := s.Widen(t.Context(), "survey:read") // nobody is logged in yet
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	second, err := s.Widen(t.Context(), "task:read", "no:such")
	if err != nil {
		t.Fatal(err)
	}
	h, err := second.Login(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := h.Credential.Scopes; !got.Has("survey:read") || !got.Has("task:read") || h.Check(scopes.Required) != nil {
		t.Errorf("it holds %s", got)
	}
	missing, ok := errors.AsType[*ambit.MissingError](h.Check(scopes.Optional))
	if !ok || len(missing.Needs) != 1 || missing.Needs[0].Name() != "no:such" {
		t.Errorf("%v: what was added and not granted is missing", missing)
	}
	if len(s.Needs()) == len(second.Needs()) {
		t.Error("the session itself is another than the one that was widened")
	}
	if _, err := s.Widen(t.Context(), "a b"); err == nil {
		t.Error("that is no scope")
	}
}

// A Go program does what run does: the refusal says what to add, and the client after that has it.
func TestWidenAfterARefusal(t *testing.T) {
	w := newWorld(t, sandbox.Options{Grant: "all"})
	s := w.open(t, nil)
	client, err := s.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Get(client.URL("{api}/api/projects/1/surveys/"))
	refused, ok := errors.AsType[*ambit.RefusedError](err)
	if !ok {
		t.Fatal(err)
	}
	wider, err := s.Widen(t.Context(), refused.Verdict.Wanted()...)
	if err == nil {
		_, err = wider.Login(t.Context(), nil)
	}
	if err == nil {
		client, err = s.Client(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Get(client.URL("{api}/api/projects/1/surveys/"))
	if err != nil || response.StatusCode != 200 {
		t.Errorf("%v, %v", response, err)
	}
}

// isAnother is what another account's consent comes to.
func isAnother(err error) bool { _, ok := errors.AsType[*ambit.AccountError](err); return ok }

// What may not take the place of the stored login does not, and the stored one works on.
func TestWidenKeepsWhatIsStored(t *testing.T) {
	for name, c := range map[string]struct {
		add    string                       // for the first login
		before func(*credential.Credential) // then
		during func(*credential.Credential)
		other  string // what the server does then
		want   func(error) bool
	}{
		"another identifier": {
			add:    "openid",
			before: func(c *credential.Credential) { c.Subject = "somebody" },
			want:   isAnother,
		},
		"another name": {
			before: func(c *credential.Credential) { c.Account = "bob@example.com" },
			want:   isAnother,
		},
		"another name of the same person": {
			add:    "openid",
			before: func(c *credential.Credential) { c.Account = "bob@example.com" },
			want:   func(err error) bool { return err == nil },
		},
		"another account": {
			other: "other-person",
			want:  isAnother,
		},
		"another process widened it": {
			during: func(c *credential.Credential) { c.Scopes = c.Scopes.Union(scopes.NewSet("theirs:read")) },
			want: func(err error) bool {
				e, ok := errors.AsType[*ambit.OvertakenError](err)
				return ok && e.More.Equal(scopes.NewSet("theirs:read"))
			},
		},
		"another process renewed it": {
			during: func(c *credential.Credential) { c.Access = credential.NewSecret("pha_renewed") },
			want:   func(err error) bool { return err == nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Options{Grant: "all"})
			var during func()
			s := w.open(t, func(o *ambit.Options) {
				o.UI.Open = func(ctx context.Context, start, url string) error {
					if during != nil {
						during()
					}
					return visit(ctx, start, url)
				}
			})
			first := s
			if c.add != "" {
				var err error
				if first, err = s.Widen(t.Context(), c.add); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := first.Login(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if c.before != nil {
				w.change(t, s, c.before)
			}
			if c.other != "" {
				if err := w.box.Misbehave(c.other); err != nil {
					t.Fatal(err)
				}
			}
			if c.during != nil {
				during = func() { w.change(t, s, c.during) }
			}
			wider, err := s.Widen(t.Context(), "survey:read")
			if err != nil {
				t.Fatal(err)
			}
			_, err = wider.Login(t.Context(), nil)
			stored, loadErr := w.store.Load(t.Context(), key(s))
			if !c.want(err) || loadErr != nil || stored.Scopes.Has("survey:read") != (err == nil) {
				t.Errorf("%v; stored is %v (%v)", err, stored, loadErr)
			}
		})
	}
}

// Two processes that widen the same login at a time come to one that holds what both wanted.
func TestWidenAtOnce(t *testing.T) {
	w := newWorld(t, sandbox.Options{Grant: "all"})
	env := []string{"HOME=" + w.home}
	opened, waits := make(chan struct{}), make(chan struct{})
	begin := func(change func(*ambit.UI)) *ambit.Session {
		return w.open(t, func(o *ambit.Options) {
			o.Store, o.Env = ambit.FileStore(env), env
			if change != nil {
				change(&o.UI)
			}
		})
	}
	if _, err := begin(nil).Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	widen := func(s *ambit.Session, add string) error {
		wider, err := s.Widen(t.Context(), add)
		if err == nil {
			_, err = wider.Login(t.Context(), nil)
		}
		return err
	}
	first := make(chan error, 1)
	go func() {
		first <- widen(begin(func(ui *ambit.UI) {
			ui.Open = func(ctx context.Context, start, url string) error {
				close(opened)
				<-waits
				return visit(ctx, start, url)
			}
		}), "survey:read")
	}()
	<-opened
	second := begin(func(ui *ambit.UI) {
		ui.Note = func(sentence string) {
			if strings.Contains(sentence, "under way") {
				close(waits)
			}
		}
	})
	if err := widen(second, "task:read"); err != nil {
		t.Error(err)
	}
	if err := <-first; err != nil {
		t.Error(err)
	}
	h, err := second.Find(t.Context())
	if err != nil || !h.Credential.Scopes.Has("survey:read") || !h.Credential.Scopes.Has("task:read") {
		t.Errorf("%v, %v", h, err)
	}
}
