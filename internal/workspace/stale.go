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

// `go mod vendor` copies the directories by which go.mod replaces modules
// (replace … => ./lib), and packages are compiled from the copy. Nix fetches anew
// only if vendorHash changes: without a check, an edit in such a directory would
// silently not get into the program. So each directory is compared with its copy:
// its go.mod when the build is planned, and its files when they are bound.

// renewFetch is the advice for a fetch that is out of date.
const renewFetch = "Set vendorHash = \"\"; and Nix will report the correct hash"

// A StaleError reports that a directory differs from its copy in the fetch.
type StaleError struct {
	Module, Dir string // the module, and the directory that replaces it, relative to the sources
	What        string // the difference, as a clause: "lib/lib.go is not the same in the fetch"
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("vendorHash is stale: %s is %s in src, and %s. The fetch is still in the store, and packages of the module would be compiled from it.\n%s. Or build with a lock (`dgd lock`, then modules = ./dgd.lock), or name the directory in a go.work: then its packages are compiled from src",
		e.Module, e.Dir, e.What, renewFetch)
}

// ReplacedModules returns the modules of a vendor directory, and those of them that
// were copied from directories. Each Replace.Path is relative to the directory of
// go.work, or else of go.mod.
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

// CheckReplacedMods compares the go.mod files of directories that replace modules
// with the modules.txt of the fetch in vendor. It returns a *StaleError if one
// differs. The go command compares those of the main modules itself.
func (p *Place) CheckReplacedMods(vendor string, members []Member) error {
	replaced, all, err := ReplacedModules(vendor)
	if err != nil {
		return err
	}
	vendored := map[string]string{}
	versions := false // modules.txt has versions of Go, as from go 1.17 on
	for _, m := range all {
		vendored[m.Path] = m.Version
		versions = versions || m.GoVersion != ""
	}
	for _, m := range replaced {
		dir := filepath.Join(p.Root, filepath.FromSlash(m.Replace.Path))
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if errors.Is(err, fs.ErrNotExist) {
			continue // the go command needs none
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

// goLine returns the go line of a go.mod as messages show it.
func goLine(version string) string {
	if version == "" {
		return "no go line"
	}
	return "go " + version
}

// excludes reports whether a main module excludes the version that r requires.
func excludes(members []Member, r *modfile.Require) bool {
	return slices.ContainsFunc(members, func(m Member) bool {
		return slices.ContainsFunc(m.Mod.Exclude, func(e *modfile.Exclude) bool { return e.Mod == r.Mod })
	})
}
