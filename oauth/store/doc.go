// Package store keeps credentials between runs: in a file, in the system's keyring, or in
// memory. All keep the contract of [Store], and one [Lock] orders those who renew a credential,
// replace it or remove it.
package store
