package files

import "io/fs"

// checkOwner leaves it to the access lists.
func checkOwner(string, fs.FileInfo, fs.FileMode) error { return nil }

// checkObeyed leaves it to the access lists.
func checkObeyed(string) error { return nil }

// keepOwner leaves it to the access lists.
func keepOwner(_, _ string) error { return nil }

// syncDir has nothing to do: a directory cannot be flushed here.
func syncDir(string) error { return nil }
