package stage

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"dgd/internal/drvgen"
	"dgd/internal/nix/nar"
)

// maxTexts is the size in bytes up to which a package's sources are a part of
// its derivation. A store path of their own costs Nix more than the derivation
// does; but all that is in a derivation, Nix holds in memory.
const maxTexts = 16 << 10

// placeholder is what Nix would put a store path in the place of.
var placeholder = regexp.MustCompile(`/[0-9a-z]{52}`)

// texts reads the files of a tree, in its order, where a derivation can hold
// them: if all are Go files, which evaluation can read, too. It returns nil if
// they are too large, if Nix would change them, or if one cannot be read, which
// is an error where the tree is hashed.
func texts(t *nar.Tree) []drvgen.File {
	var list []drvgen.File
	size := 0
	for _, name := range t.Files {
		if path.Ext(name) != ".go" {
			return nil
		}
		file := filepath.Join(t.Root, filepath.FromSlash(name))
		info, err := os.Lstat(file)
		if err != nil || !info.Mode().IsRegular() {
			return nil
		}
		if size += int(info.Size()); size > maxTexts {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil || !plain(name) || !plain(string(text)) {
			return nil
		}
		list = append(list, drvgen.File{Name: name, Text: string(text)})
	}
	return list
}

// plain reports whether Nix keeps a text as it is.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.Contains(s, "\x00") && !placeholder.MatchString(s)
}
