// Package provider reads what is known of a service before anyone asks it: its servers and
// bases, its client, the kinds of credential it knows and how one is inspected, what a scope
// implies, and how it words a refusal. All of that is a YAML file, built in or the user's own;
// no Go code knows a provider.
package provider
