package ambit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// account is the name under which the login of this session is kept; "" for the one without a name.
func (s *Session) account() string {
	if s.kept != nil {
		return *s.kept
	}
	return s.named()
}

// named is the one that the options name, or else the default of the directory.
func (s *Session) named() string { return cmp.Or(s.opt.Account, s.folder().Account) }

// choose finds the login that is meant, and returns the logins of its account beside it: of the
// account that is named, or else of that which is the default of the directory, or of the login
// without a name, or of the only account that there is. A name is that under which a login is kept,
// or else the account as its server calls it. Errors are those of [logins.find]; *[NoAccountError];
// *[AccountsError].
func (s *Session) choose(ctx context.Context) (logins, *login, error) {
	all := s.logins()
	one, err := all.find(ctx)
	if err == nil || !errors.Is(err, ErrNoCredential) {
		return all, one, err
	}
	others := all.others(ctx)
	switch {
	case s.opt.Account != "":
		others = slices.DeleteFunc(others, func(l *login) bool { return !strings.EqualFold(l.credential.Account, s.opt.Account) })
		if i := slices.IndexFunc(others, func(l *login) bool { return l.key.Account == s.folder().Account }); i >= 0 {
			others = others[i : i+1]
		}
		switch {
		case len(others) == 1:
			return all.of(others[0].key.Account), others[0], nil
		case len(others) > 1:
			return all, nil, &AccountsError{Named: s.opt.Account, Stored: accountsOf(others)}
		}
		others = all.others(ctx)
	case all.account == "" && len(others) == 1:
		return all.of(others[0].key.Account), others[0], nil
	case all.account == "" && len(others) > 1:
		return all, nil, &AccountsError{Stored: accountsOf(others)}
	}
	if all.account != "" && !isMoreThanNone(err) {
		none := &NoAccountError{Account: all.account, Stored: accountsOf(others)}
		if s.opt.Account == "" {
			none.Folder = s.folder().Folder
		}
		err = none
	}
	return all, nil, err
}

// isMoreThanNone reports whether an error says more than that nothing is stored.
func isMoreThanNone(err error) bool {
	_, elsewhere := errors.AsType[*ElsewhereError](err)
	_, unreached := errors.AsType[*UnreachedError](err)
	return elsewhere || unreached
}

// of are the logins of another account.
func (l logins) of(account string) logins {
	l.account = account
	return l
}

// others are the logins of other accounts that would do as well, by the names under which they are
// kept.
func (l logins) others(ctx context.Context) []*login {
	var found []*login
	for _, account := range l.accounts() {
		if account == l.account {
			continue
		}
		if one, err := l.of(account).find(ctx); err == nil {
			found = append(found, one)
		}
	}
	return found
}

// accounts are the names under which logins are kept for this manifest, sorted; "" is always one.
func (l logins) accounts() []string {
	names := []string{""}
	entries, _ := l.index().List() // an index that cannot be read names none
	for _, e := range entries {
		of := l.of(e.Key.Account)
		if slices.ContainsFunc(l.issuers(), func(at provider.Server) bool { return of.key(at) == e.Key }) {
			names = append(names, e.Key.Account)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// AccountNames are the names under which logins of the user are kept, sorted; of the options only Env
// counts.
func AccountNames(o Options) []string {
	entries, _ := stores{&o}.index().List() // an index that cannot be read names none
	var names []string
	for _, e := range entries {
		if text.IsName(e.Key.Account) {
			names = append(names, e.Key.Account)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// accountsOf are logins as a person tells them apart.
func accountsOf(list []*login) []Account {
	accounts := make([]Account, len(list))
	for i, l := range list {
		accounts[i] = Account{Name: l.key.Account, Told: l.credential.Account}
	}
	return accounts
}

// index lists the logins of this user.
func (p stores) index() store.Index { return store.Index{Dir: p.opt.loginsDir()} }

// noteLogin lists a new login among those of this user, and makes its account the default of the
// directory where somebody named it.
func (s *Session) noteLogin(key store.Key, in store.Store) {
	all := s.logins()
	if all.inMemory() {
		return
	}
	if err := all.index().Add(store.Entry{Key: key, Store: in.Name(), Since: s.opt.now(), File: s.path()}); err != nil {
		s.opt.UI.note("the login is kept, and missing in the list of all logins: " + text.Line(err.Error()))
	}
	if s.opt.Account == "" || key.Account == "" || s.opt.Folder == "" || s.opt.foldersDir() == "" {
		return
	}
	if before := s.folders().nearest(s.opt.Folder, s.manifest.Name); before.Account != "" && before.Account != key.Account {
		s.opt.UI.note(fmt.Sprintf("from now on the account %s is the default in %s; it was %s", text.Line(key.Account), text.Line(s.opt.Folder), text.Line(before.Account)))
	}
	err := s.folders().set(FolderAccount{Folder: s.opt.Folder, Manifest: s.manifest.Name, Account: key.Account})
	if err != nil {
		s.opt.UI.note("the account is not the default in this directory: " + text.Line(err.Error()))
	}
}

// noteOther says that another account has logged in than the one that was expected: than the name
// under which it is kept promises, where that is an address, or than the login that it replaces.
func (s *Session) noteOther(before, now *credential.Credential) {
	name := s.account()
	switch {
	case now.Account == "":
	case strings.Contains(name, "@") && strings.Contains(now.Account, "@") && !strings.EqualFold(name, now.Account):
		s.opt.UI.note(fmt.Sprintf("this is the login of %s, and it is kept as %s", text.Line(now.Account), text.Line(name)))
	case before != nil && !isSameAccount(before, now):
		s.opt.UI.note(fmt.Sprintf("this is the login of %s; the one that it replaces was of %s", text.Line(now.Account), text.Line(before.Account)))
	}
}

// isSameAccount compares what is known of two logins: the server's identifiers, or else the names. Where it
// gave an identifier of one alone, these may be names of two sorts, unless both are addresses. What cannot be
// compared may be the same.
func isSameAccount(a, b *credential.Credential) bool {
	addresses := strings.Contains(a.Account, "@") && strings.Contains(b.Account, "@")
	switch {
	case a.Subject != "" && b.Subject != "":
		return a.Subject == b.Subject
	case a.Account != "" && b.Account != "" && (addresses || a.Subject == "" && b.Subject == ""):
		return strings.EqualFold(a.Account, b.Account)
	}
	return true
}
