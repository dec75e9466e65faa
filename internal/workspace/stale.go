package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"dgd/internal/modules"
)

// `go mod vendor` copies the directories that go.mod puts in the place of modules
// (replace … => ./lib), and packages are compiled from the copy. Nix makes it anew
// only for another vendorHash: an edit in such a directory would be left out of
// the program, without a word. So each is compared with its copy: what the
// directory's go.mod says where the build is planned, and its files where they
// are bound.

// renewFetch says what to do where the fetch is not what a new one would be.
const renewFetch = "Set vendorHash = \"\"; and Nix will report the correct hash"

// A StaleError reports that a directory differs from its copy in the fetch.
type StaleError struct {
	Module, Dir string // the module, and what stands in its place
	What        string // what differs
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("vendorHash is stale: %s is %s in src, and %s. The fetch is still in the store, and packages of the module would be compiled from it.\n%s. Or build with a lock (`dgd lock`, then modules = ./dgd.lock), or name the directory in a go.work: then its packages are compiled from src",
		e.Module, e.Dir, e.What, renewFetch)
}

// ReplacedModules returns the modules of a vendor directory that were copied from
// directories. Each Replace.Path is relative to that of go.mod, or of go.work.
func ReplacedModules(vendor string) (replaced, all []modules.Module, err error) {
	text, err := os.ReadFile(filepath.Join(vendor, "modules.txt"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	all = modules.Parse(text)
	for _, m := range all {
		if m.Replace.Path != "" && m.Replace.Version == "" && !filepath.IsAbs(m.Replace.Path) && len(m.Packages) > 0 {
			replaced = append(replaced, m)
		}
	}
	return replaced, all, nil
}

// CheckReplacedMods compares the go.mod files of directories that stand in for
// modules with what the fetch in vendor says of them. Main modules' own go.mod
// files the go command compares itself.
func (p *Place) CheckReplacedMods(vendor string, members []Member) error {
	replaced, all, err := ReplacedModules(vendor)
	if err != nil {
		return err
	}
	vendored := map[string]string{}
	versions := false // whether modules.txt has versions of Go, as from go 1.17 on
	for _, m := range all {
		vendored[m.Path] = m.Version
		versions = versions || m.GoVersion != ""
	}
	for _, m := range replaced {
		dir := filepath.Join(p.Root, filepath.FromSlash(m.Replace.Path))
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if errors.Is(err, fs.ErrNotExist) {
			continue // the go command does without
		}
		if err != nil {
			return err
		}
		mod, err := modfile.ParseLax(p.Rel(filepath.Join(dir, "go.mod")), text, nil)
		if err != nil {
			return fmt.Errorf("src: %w", err)
		}
		stale := func(format string, args ...any) error {
			return &StaleError{Module: m.Path, Dir: p.Rel(dir), What: "its go.mod " + fmt.Sprintf(format, args...)}
		}
		says := ""
		if mod.Go != nil {
			says = mod.Go.Version
		}
		if versions && says != m.GoVersion {
			return stale("has %s, and the fetch %s", goLine(says), goLine(m.GoVersion))
		}
		for _, r := range mod.Require {
			if v, ok := vendored[r.Mod.Path]; ok && semver.Compare(v, r.Mod.Version) < 0 && !excludes(members, r) {
				return stale("requires %s %s, and the fetch has %s", r.Mod.Path, r.Mod.Version, v)
			}
		}
	}
	return nil
}

// goLine is the go line of a go.mod as a message names it.
func goLine(version string) string {
	if version == "" {
		return "no go line"
	}
	return "go " + version
}

// excludes reports whether a main module excludes a version that another requires.
func excludes(members []Member, r *modfile.Require) bool {
	return slices.ContainsFunc(members, func(m Member) bool {
		return slices.ContainsFunc(m.Mod.Exclude, func(e *modfile.Exclude) bool { return e.Mod == r.Mod })
	})
}
