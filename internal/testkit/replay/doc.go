// Package replay plays a service in tests: from files of exchanges, each a request that is expected
// and the response that it gets, behind a proxy that takes the place of every host. It knows HTTP,
// forms, JSON and the one rule of RFC 7636 that a scenario cannot write down, and nothing of whoever
// asks. docs/providers.md has the form of the files.
package replay
