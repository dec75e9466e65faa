package nar

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLeaves(t *testing.T) {
	root := filepath.Join(t.TempDir(), "root")
	for _, dir := range []string{"a/b", "c"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"a/b/file", "../outside"} {
		if err := os.WriteFile(filepath.Join(root, file), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	links := map[string]string{
		"in": "a/b/file", "dir": "a/b", "up": "a/../a/b/file", "deep": "dir/file", "a/b/back": "../../in", "nowhere": "a/none/../../x",
		"out": "../outside", "a/out": "../../outside", "again": "../root/in", "abs": filepath.Join(root, "a"), "toabs": "abs/b/file",
		"toout": "a/out", "circle": "circle", "outdir": "..", "c/x": "../dir/../../../outside",
	}
	for link, to := range links {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string]string{
		"a/b/file": "", "in": "", "dir/file": "", "up": "", "deep": "", "a/b/back": "", "dir/back": "", "nowhere": "", "none/x": "", "circle": "",
		"out": "out", "a/out": "a/out", "again": "again", "abs": "abs", "abs/b/file": "abs", "toabs": "abs", "toout": "a/out",
		"outdir/outside": "outdir", "c/x": "c/x",
	} {
		got, err := Leaves(root, file)
		if err != nil || (got == nil) != (want == "") || got != nil && *got != (Link{want, links[want]}) {
			t.Errorf("%s: got %v (%v), want %q", file, got, err, want)
		}
	}
	if _, err := Leaves(root, "a/b/file/x"); err == nil {
		t.Error("a file is a directory")
	}
}
