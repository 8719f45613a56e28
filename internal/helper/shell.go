package helper

import (
	"strings"
	"time"
)

// The variables in which a shell gets a token, and when it expires.
const (
	tokenVariable  = "AMBIT_ACCESS_TOKEN"
	expiryVariable = "AMBIT_EXPIRES_AT"
)

// NoEnv is for a shell that evaluates what it gets, and sees no exit code: an old token does not
// stay, and the line fails.
const NoEnv = "unset " + tokenVariable + " " + expiryVariable + "; false\n"

// Env are lines for a POSIX shell to evaluate: the token, when it expires, and other variables, each
// NAME=value. A shell takes every byte of a value as it is.
func Env(t Token, others []string) string {
	variables := []string{tokenVariable + "=" + t.Secret}
	lines := ""
	if t.ExpiresAt.IsZero() {
		lines = "unset " + expiryVariable + "\n"
	} else {
		variables = append(variables, expiryVariable+"="+t.ExpiresAt.UTC().Format(time.RFC3339))
	}
	for _, variable := range append(variables, others...) {
		name, value, _ := strings.Cut(variable, "=")
		lines += "export " + name + "='" + strings.ReplaceAll(value, "'", `'\''`) + "'\n"
	}
	return lines
}

// Header is the field of a request, as curl reads it from a file (RFC 6750 §2.1).
func Header(t Token) string { return "Authorization: Bearer " + t.Secret + "\n" }
