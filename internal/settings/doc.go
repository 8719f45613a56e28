// Package settings is what the user set, in layers: config.yaml, then AMBIT_… variables,
// then flags. A later layer overrides an earlier one, key by key; a list replaces a list. A
// key is a flag's long name with _ for -. The manifest is not a layer, and an API key is not
// a setting.
//
// [Load] gives the settings as one value, which knows where each key was set last, and every
// mistake in all layers. koanf merges; what it cannot tell, origins and mistakes, is noted by
// the functions that it calls back.
//
// [Environment] is the process's environment as a value, with the directories that follow
// from it.
package settings
