// Package testfiles makes the files that tests work on.
package testfiles

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Write writes files, with their texts by their names, into a directory, and makes
// the directories that they are in. A text "-> x" makes a symlink to x.
func Write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(file), 0o777)
		if err != nil {
			t.Fatal(err)
		}
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			err = os.Symlink(target, file)
		} else {
			err = os.WriteFile(file, []byte(text), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
