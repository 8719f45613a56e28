package yamlfile

import "github.com/ambit-auth/ambit/internal/files"

// Read reads such a file, of at most [MaxFileSize] bytes. A link is followed.
func Read(path string) ([]byte, error) {
	text, err := files.Read(path, files.Rule{Limit: MaxFileSize, Links: true})
	if link := files.DanglingLink(path); err != nil && link != nil {
		return nil, link
	}
	return text, err
}
