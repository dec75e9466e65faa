package bind

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
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

// DigestDir returns the directory whose Digest changes if the sources of a package with
// assembly or C change. n is the package before graph.Apart; own is the directory of its
// module. The result is own, or "." if the package may read files outside of it.
func DigestDir(n *graph.Node, own string) string {
	defined := DefinedNames(cWords(n.Steps))
	if _, out := ownPaths(n); out != nil || defined.Computed || len(defined.Files) > 0 || n.LinkSrc || n.Src.Whole || n.Src.Reach == graph.ReachAll {
		return "."
	}
	return own
}

// Digest returns a digest, in hexadecimal, of all that Sources and Divide depend on in a
// directory with packages of assembly or C: the names of all files in it, the names in
// these files, and which are large. If a name may lead out of the directory, it is the
// digest of all sources, and of the vendor directory if a name may lead there. Src is the
// directory SRC; vendor and dir are relative to it.
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

// notRead are the files that dgd writes beside the sources.
var notRead = []string{"dgd.plan", "dgd.lock"}

type digester struct {
	src, vendor, dir string
	text             strings.Builder // the digest is of this text
	defines          strings.Builder // macros that may make names
	leaves, toVendor bool            // names may lead out of dir, or to the vendor directory
	computes         bool            // macros make names
	hasGo            map[string]bool // directories with Go files
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
	if errors.Is(err, fs.ErrNotExist) {
		return nil // there is no vendor directory
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
		// Whether a directory has Go files decides whether it is part of a tree of C.
		d.hasGo[path.Dir(rel)] = true
		return nil
	case slices.Contains(notRead, e.Name()):
		return nil
	case !e.Type().IsRegular():
		target, err := os.Readlink(p)
		if err != nil || path.IsAbs(target) {
			return err // it leads out of the sources, and is dangling in a build
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
