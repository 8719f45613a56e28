// Package profile holds what is known of agent programs: how one is told where to send its
// requests, which variables, settings and logins would take precedence over a lent credential,
// how it repeats, how its own login is ended. Each is a YAML file; no Go code knows a program.
//
// [Profile.Environment] makes the child's environment, [Profile.Scan] finds what conflicts.
package profile
