// Package settings is what the user set, in layers: config.yaml, AMBIT_… variables, flags.
package settings
