// Package store keeps credentials between runs: in a file, in the system's keyring, in memory, or
// by a program of the user's. All keep the contract of [Store], and its [Lease] orders those who
// renew a credential, replace it or remove it.
package store
