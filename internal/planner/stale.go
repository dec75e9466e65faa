package planner

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

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

// A staleError says that a directory is not what the fetch has a copy of.
type staleError struct {
	module, dir string // the module, and what stands in its place
	what        string // what differs
}

func (e *staleError) Error() string {
	return fmt.Sprintf("vendorHash is stale: %s is %s in src, and %s. The fetch is still in the store, and packages of the module would be compiled from it.\n%s. Or build with a lock (`dgd lock`, then modules = ./dgd.lock), or name the directory in a go.work: then its packages are compiled from src",
		e.module, e.dir, e.what, renewFetch)
}

// replacedModules returns the modules of a vendor directory that were copied from
// directories. Each Replace.Path is relative to that of go.mod, or of go.work.
func replacedModules(vendor string) (replaced, all []modules.Module, err error) {
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

// checkReplacedMods compares the go.mod files of directories that stand in for
// modules with what the fetch in vendor says of them. Main modules' own go.mod
// files the go command compares itself.
func (p *place) checkReplacedMods(vendor string, members []member) error {
	replaced, all, err := replacedModules(vendor)
	if err != nil {
		return err
	}
	vendored := map[string]string{}
	versions := false // before go 1.17 modules.txt has none of Go
	for _, m := range all {
		vendored[m.Path] = m.Version
		versions = versions || m.GoVersion != ""
	}
	for _, m := range replaced {
		dir := filepath.Join(p.root, filepath.FromSlash(m.Replace.Path))
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if errors.Is(err, fs.ErrNotExist) {
			continue // the go command does without
		}
		if err != nil {
			return err
		}
		mod, err := modfile.ParseLax(p.rel(filepath.Join(dir, "go.mod")), text, nil)
		if err != nil {
			return fmt.Errorf("src: %w", err)
		}
		stale := func(format string, args ...any) error {
			return &staleError{module: m.Path, dir: p.rel(dir), what: "its go.mod " + fmt.Sprintf(format, args...)}
		}
		says := ""
		if mod.Go != nil {
			says = mod.Go.Version
		}
		if versions && says != m.GoVersion {
			return stale("says go %s, which was %s", or(says, "without a version"), or(m.GoVersion, "without a version"))
		}
		for _, r := range mod.Require {
			if v, ok := vendored[r.Mod.Path]; ok && semver.Compare(v, r.Mod.Version) < 0 && !excludes(members, r) {
				return stale("requires %s %s, which is %s there", r.Mod.Path, r.Mod.Version, v)
			}
		}
	}
	return nil
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// excludes reports whether a main module excludes a version that another requires.
func excludes(members []member, r *modfile.Require) bool {
	return slices.ContainsFunc(members, func(m member) bool {
		return slices.ContainsFunc(m.mod.Exclude, func(e *modfile.Exclude) bool { return e.Mod == r.Mod })
	})
}

// checkReplaced compares the directories of src that stand in for modules with
// their copies in the fetch. Root is the directory of go.mod or go.work in src.
// Where the fetch or the sources have hooks that the other has not, they may
// differ on purpose: then it warns.
func checkReplaced(cfg *BindConfig, root string) error {
	if cfg.Fetched == "" {
		return nil
	}
	replaced, _, err := replacedModules(cfg.Fetched)
	if err != nil {
		return err
	}
	for _, m := range replaced {
		rel := path.Join(root, filepath.ToSlash(m.Replace.Path))
		dir := filepath.Join(cfg.Src, filepath.FromSlash(rel))
		if !filepath.IsLocal(rel) {
			continue
		}
		file, err := m.Differs(cfg.Fetched, dir)
		if err != nil {
			return fmt.Errorf("comparing %s with the fetch: %w", rel, err)
		}
		if file == "" {
			continue
		}
		stale := &staleError{module: m.Path, dir: rel, what: strings.TrimSuffix(path.Join(rel, file), "/.") + " is not the same in the fetch"}
		if !cfg.FetchHooks {
			return stale
		}
		fmt.Fprintf(os.Stderr, "dgd-plan: warning: hooks change the fetch or the sources; if they do not mean to, %v\n", stale)
	}
	return nil
}
