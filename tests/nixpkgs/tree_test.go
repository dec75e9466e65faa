package nixpkgs

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A built has the facts about a package that are compared.
type built struct {
	outputs    []string // store paths, out first
	files      map[string]string
	references []string // of all outputs, sorted
	closure    []string // sorted
	size       int64    // of the closure
}

var hashed = regexp.MustCompile(`^/nix/store/([0-9a-z]{32})-(.+)$`)

// anonymous returns a replacer that removes the hashes of a package's outputs, so that
// references to them are the same for two packages with the same name.
func anonymous(outputs []string) *strings.Replacer {
	var pairs []string
	for _, path := range outputs {
		if m := hashed.FindStringSubmatch(path); m != nil {
			pairs = append(pairs, m[1], strings.Repeat("e", len(m[1])))
		}
	}
	return strings.NewReplacer(pairs...)
}

// tree returns, by path, the type, the permissions and the contents or target of each
// file below a directory.
func tree(dir string, own *strings.Replacer) (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		text := ""
		switch {
		case info.Mode().IsRegular():
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text = string(data)
		case info.Mode()&fs.ModeSymlink != 0:
			if text, err = os.Readlink(path); err != nil {
				return err
			}
		}
		files[name] = info.Mode().String() + "\n" + own.Replace(text)
		return nil
	})
	return files, err
}

// differences returns the differences between two packages.
func differences(want, got built) []string {
	var all []string
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	names := slices.AppendSeq(slices.Collect(maps.Keys(want.files)), maps.Keys(got.files))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		w, inWant := want.files[name]
		g, inGot := got.files[name]
		switch {
		case !inWant:
			say("%s is in dgd's alone", name)
		case !inGot:
			say("%s is missing", name)
		case w != g:
			say("%s: %s", name, firstDifference(w, g))
		}
	}
	set := func(what string, want, got []string) {
		for _, path := range got {
			if !slices.Contains(want, path) {
				say("%s: %s is in dgd's alone", what, path)
			}
		}
		for _, path := range want {
			if !slices.Contains(got, path) {
				say("%s: %s is missing", what, path)
			}
		}
	}
	set("references", want.references, got.references)
	set("closure", want.closure, got.closure)
	// If everything else is the same, so is the size.
	if len(all) == 0 && want.size != got.size {
		say("the closure has %d bytes in place of %d", got.size, want.size)
	}
	return all
}

// firstDifference describes how two files of tree differ.
func firstDifference(want, got string) string {
	wantMode, wantText, _ := strings.Cut(want, "\n")
	gotMode, gotText, _ := strings.Cut(got, "\n")
	if wantMode != gotMode {
		return fmt.Sprintf("is %s in place of %s", gotMode, wantMode)
	}
	at, count := -1, 0
	for i := range min(len(wantText), len(gotText)) {
		if wantText[i] != gotText[i] {
			if at < 0 {
				at = i
			}
			count++
		}
	}
	if at < 0 {
		at = min(len(wantText), len(gotText))
	}
	around := func(s string) string { return s[max(0, min(at-24, len(s))):min(len(s), at+40)] }
	return fmt.Sprintf("%d bytes in place of %d, of which %d differ; at %d %q in place of %q",
		len(gotText), len(wantText), count, at, around(gotText), around(wantText))
}

// The comparison finds differences of each kind.
func TestDifferences(t *testing.T) {
	build := func(hash string, change func(dir string)) built {
		dir := t.TempDir()
		path := "/nix/store/" + strings.Repeat(hash, 32) + "-tool"
		for name, text := range map[string]string{"bin/tool": "\x7fELF " + path + "/share", "share/note": "text"} {
			file := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink(path+"/bin/tool", filepath.Join(dir, "link")); err != nil {
			t.Fatal(err)
		}
		change(dir)
		own := anonymous([]string{path})
		files, err := tree(dir, own)
		if err != nil {
			t.Fatal(err)
		}
		return built{files: files, references: []string{own.Replace(path)}, closure: []string{own.Replace(path)}, size: 10}
	}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	one := build("a", func(string) {})
	for what, change := range map[string]func(dir string){
		"":                             func(string) {},
		"share/note: 4 bytes":          func(dir string) { must(os.WriteFile(filepath.Join(dir, "share/note"), []byte("tent"), 0o666)) },
		"is -rwx":                      func(dir string) { must(os.Chmod(filepath.Join(dir, "share/note"), 0o755)) },
		"share/note is missing":        func(dir string) { must(os.Remove(filepath.Join(dir, "share/note"))) },
		"share/more is in dgd's alone": func(dir string) { must(os.WriteFile(filepath.Join(dir, "share/more"), nil, 0o666)) },
		`in place of "/nix/store/eeee`: func(dir string) {
			must(os.Remove(filepath.Join(dir, "link")))
			must(os.Symlink("/nix/store/other", filepath.Join(dir, "link")))
		},
	} {
		found := differences(one, build("b", change))
		if what == "" && len(found) > 0 || what != "" && (len(found) != 1 || !strings.Contains(found[0], what)) {
			t.Errorf("%q: found %q", what, found)
		}
	}
	for what, other := range map[string]built{
		"references: /nix/store/go is in dgd's alone": {files: one.files, references: append([]string{"/nix/store/go"}, one.references...), closure: one.closure},
		"closure: /nix/store/eeee":                    {files: one.files, references: one.references},
		"the closure has 11 bytes":                    {files: one.files, references: one.references, closure: one.closure, size: 11},
	} {
		found := differences(one, other)
		if len(found) != 1 || !strings.Contains(found[0], what) {
			t.Errorf("%q: found %q", what, found)
		}
	}
}
