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

// maxTexts is the size in bytes up to which a package's sources are in the text of its
// derivation. A store path for them costs Nix more than the derivation does, but Nix keeps
// the text of derivations in memory.
const maxTexts = 16 << 10

// placeholder matches placeholders, which Nix would replace by store paths.
var placeholder = regexp.MustCompile(`/[0-9a-z]{52}`)

// texts returns the files of a tree, in its order, or nil if a derivation should not hold
// them: if they are not Go files, which evaluation can read, too, if they are too large, or
// if Nix would change them. If one cannot be read it also returns nil, as hashing the tree
// reports that.
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

// plain reports whether Nix does not change a text in a derivation.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.Contains(s, "\x00") && !placeholder.MatchString(s)
}
