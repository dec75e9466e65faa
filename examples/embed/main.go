// Embed embeds a file as a string and as bytes, files by pattern, a directory
// and, with all:, a directory with the files that are left out otherwise.
package main

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed note.txt
var text string

//go:embed note.txt
var bytes []byte

//go:embed *.txt
var matched embed.FS

//go:embed site
var site embed.FS

//go:embed all:site "with space.txt"
var all embed.FS

func list(name string, files fs.FS) {
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		fmt.Printf("%s: %s (%d bytes)\n", name, path, len(content))
		return err
	})
	if err != nil {
		panic(err)
	}
}

func main() {
	fmt.Println("string:", text)
	fmt.Println("bytes:", len(bytes))
	list("pattern", matched)
	list("directory", site)
	list("all", all)
}
