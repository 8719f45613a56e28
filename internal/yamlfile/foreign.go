package yamlfile

import (
	"cmp"
	"os"
	"path/filepath"
)

// projectOf is the directory with all that belongs to a file: the repository in which it
// stands, else its own.
func projectOf(path string) string {
	own, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return ""
	}
	for dir := own; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			own = dir
			break
		}
	}
	if real, err := filepath.EvalSymlinks(own); err == nil {
		own = real
	}
	return own
}

// isOutside reports whether a file stands outside a directory, or may do so.
func isOutside(directory, file string) bool {
	real, err := filepath.EvalSymlinks(file)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	within, relErr := filepath.Rel(directory, real)
	return err != nil || relErr != nil || !filepath.IsLocal(within)
}

// LeadsAway reports whether a path is a link out of the project in which it stands: then nothing of what it
// leads to may be quoted.
func LeadsAway(path string) bool {
	_, err := filepath.EvalSymlinks(path) // what is not there has no words
	return err == nil && isOutside(projectOf(path), path)
}

// NotShown says, behind a mistake, why the words of its file are not there.
const NotShown = " (the file stands outside the project: what is in it is not shown)"

var mistakesInWords = map[MistakeKind]string{
	BadYAML: "not YAML", BadSize: "empty, or too large", BadVersion: "a version that ambit does not read",
	UnknownKey: "unknown key", MissingKey: "a key is missing", DuplicateKey: "a name appears twice",
}

// WithoutForeignWords takes what a file says out of the mistakes in it, where the file stands outside the
// project of the one at path: a path or a link in a repository may lead to any file of this machine, and
// what a pipeline says of it may be public. It changes the mistakes, and returns them.
func (mistakes Mistakes) WithoutForeignWords(path string) Mistakes {
	project := projectOf(path)
	for i, mistake := range mistakes {
		foreign := isOutside(project, mistake.File)
		if foreign {
			mistakes[i].Message = cmp.Or(mistakesInWords[mistake.Kind], "not what belongs here") + NotShown
		}
		mistakes[i].shown = !foreign
	}
	return mistakes
}
