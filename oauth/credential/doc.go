// Package credential has the one value for the credential in use: an access token or an API key
// as a [Secret] that cannot print itself, what is known of it, and what it takes to renew it.
package credential
