package bind

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"dgd/internal/graph"
)

// DigestDir returns the directory whose Digest tells whether a package with
// assembly or C is bound as before. n is the package before graph.Apart; own is
// the place of its module in the sources.
func DigestDir(n *graph.Node, own string) string {
	defined := DefinedNames(cWords(n.Steps))
	if _, out := ownPaths(n); out != nil || defined.Computed || len(defined.Files) > 0 || n.LinkSrc || n.Src.Whole || n.Src.Reach == graph.ReachAll {
		return "."
	}
	return own
}

// Digest is of what Sources and Divide find in a directory of packages with
// assembly or C: which files are there or below it, what these name, and which are
// large. Where a name may lead out of the directory it is of all sources, with the
// vendor directory where one may lead there.
func Digest(src, vendor, dir string) (string, error) {
	d := digester{src: src, vendor: vendor, dir: dir, hasGo: map[string]bool{}, toVendor: InDir(dir, vendor)}
	if err := d.walk(dir); err != nil {
		return "", err
	}
	if d.leaves && dir != "." {
		d.dir = "."
		if err := d.walk("."); err != nil {
			return "", err
		}
	}
	if d.toVendor && d.dir == "." {
		d.vendor = ""
		if err := d.walk(vendor); err != nil {
			return "", err
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(d.hasGo)) {
		fmt.Fprintf(&d.text, "%q has Go files\n", dir)
	}
	if d.computes {
		d.text.WriteString(d.defines.String())
	}
	sum := sha256.Sum256([]byte(d.text.String()))
	return hex.EncodeToString(sum[:4]), nil
}

// notRead are files beside the sources that dgd writes.
var notRead = []string{"dgd.plan", "dgd.lock"}

type digester struct {
	src, vendor, dir string
	text             strings.Builder
	defines          strings.Builder // macros, of which names may be made
	leaves, toVendor bool
	computes         bool            // names are made of them
	hasGo            map[string]bool // directories
}

func (d *digester) walk(top string) error {
	err := filepath.WalkDir(filepath.Join(d.src, filepath.FromSlash(top)), func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(d.src, p)
		if err != nil {
			return err
		}
		return d.add(filepath.ToSlash(rel), p, e)
	})
	if os.IsNotExist(err) {
		return nil // a vendor directory that is not there
	}
	return err
}

// add adds a file or directory.
func (d *digester) add(rel, p string, e fs.DirEntry) error {
	isGo := strings.HasSuffix(rel, ".go")
	switch {
	case e.IsDir() && (e.Name() == ".git" || rel == d.vendor):
		return fs.SkipDir
	case e.IsDir():
		return nil
	case strings.HasSuffix(rel, "_test.go"):
		// A tree of C has directories whole that have no Go files.
		d.hasGo[path.Dir(rel)] = true
		return nil
	case slices.Contains(notRead, e.Name()):
		return nil
	case !e.Type().IsRegular():
		target, err := os.Readlink(p)
		if err != nil || path.IsAbs(target) {
			return err // it leads out of the sources, and nowhere in a build
		}
		d.leaves = true
		fmt.Fprintf(&d.text, "%q leads to %q\n", rel, target)
		return nil
	case isGo:
		d.hasGo[path.Dir(rel)] = true
	}
	fmt.Fprintf(&d.text, "%q", rel)
	text, err := os.ReadFile(p)
	if err != nil {
		return err
	}
	if !isGo && !headerNames[path.Ext(rel)] {
		fmt.Fprintf(&d.text, " %v %v", len(text) >= heavySize, len(text) >= lightSize)
	}
	names := NamesIn(rel, text)
	fmt.Fprintf(&d.defines, "%q", names.Defines)
	names.Defines = nil
	fmt.Fprintf(&d.text, " %+v\n", names)
	d.computes = d.computes || names.Computed || len(names.Tails) > 0
	d.leaves = d.leaves || names.Computed || names.Loose
	d.toVendor = d.toVendor || names.Vendor
	for _, name := range names.Files {
		for _, from := range []string{path.Dir(rel), d.dir} {
			if !path.IsAbs(name) && d.dir != "." && !InDir(path.Join(from, name), d.dir) {
				d.leaves = true
			}
		}
	}
	return nil
}
