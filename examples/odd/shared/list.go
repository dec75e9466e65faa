// Package shared embeds files whose names need quoting.
package shared

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed "data files"
var files embed.FS

// List has the files' names and their texts.
func List() string {
	var b strings.Builder
	b.WriteString(quoted + "\n")
	err := fs.WalkDir(files, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := files.ReadFile(p)
		fmt.Fprintf(&b, "%s: %s\n", p, strings.TrimSpace(string(text)))
		return err
	})
	if err != nil {
		return err.Error()
	}
	return b.String()
}
