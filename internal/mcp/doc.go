// Package mcp reads what passes between a client and a server of the Model Context Protocol, as
// far as scopes depend on it: which tool a request calls, and which tools a list has. It reads
// both eras of streamable HTTP, up to 2025-11-25 and from 2026-07-28 on: they differ in headers
// that say early what the body says too. It changes nothing, and keeps nothing.
package mcp
