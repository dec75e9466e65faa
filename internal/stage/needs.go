package stage

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"dgd/internal/action"
	"dgd/internal/bind"
	"dgd/internal/drvgen"
)

// Needs lists the tests that must run with all of src. If there are none it is empty, so
// that its contents do not depend on src.
type Needs struct {
	Src     string             `json:"src,omitempty"`
	Vendor  string             `json:"vendor,omitempty"`
	Form    drvgen.ModulesForm `json:"form,omitempty"`
	Modules string             `json:"modules,omitempty"`
	Tests   []Need             `json:"tests,omitempty"`
}

// A Need is a test that must run with all of src.
type Need struct {
	Name    string `json:"name"` // import path
	Program string `json:"program"`
	Why     string `json:"why"` // the reason, for the user
	// Data are the paths that it looked for: with these as testData it would not need
	// all of src. Empty if they would not be enough.
	Data []string `json:"data,omitempty"`
	// Leaving are symlinks out of src that it followed, with their targets.
	Leaving map[string]string `json:"leaving,omitempty"`
}

// FindNeeds compares the paths that tests looked for with all of src. A test that passed
// need not run again if it looked for nothing that src has and its run had not.
func FindNeeds(cfg *drvgen.NeedsConfig) (*Needs, error) {
	all := allSources{cfg}
	needs := &Needs{}
	for _, t := range cfg.Tests {
		var result action.TestResult
		if err := readJSON(t.Result, &result); err != nil {
			return nil, err
		}
		need, err := all.need(&result)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Name, err)
		}
		if need != nil {
			need.Name, need.Program = t.Name, t.Program
			needs.Tests = append(needs.Tests, *need)
		}
	}
	if len(needs.Tests) > 0 {
		needs.Src, needs.Vendor, needs.Form, needs.Modules = cfg.Src, cfg.Vendor, cfg.Form, cfg.Modules
	}
	return needs, nil
}

// allSources is src with its modules.
type allSources struct{ cfg *drvgen.NeedsConfig }

// find returns the file of a path relative to src.
func (s allSources) find(rel string) string {
	if s.cfg.Form == drvgen.VendorDirectory {
		if rel == s.cfg.Vendor {
			return s.cfg.Modules
		}
		if below, ok := strings.CutPrefix(rel, s.cfg.Vendor+"/"); ok {
			return filepath.Join(s.cfg.Modules, below)
		}
	}
	return filepath.Join(s.cfg.Src, rel)
}

func (s allSources) has(rel string) (bool, error) {
	_, err := os.Lstat(s.find(rel))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return false, nil
	}
	return true, err
}

// entries returns the number of entries of a directory.
func (s allSources) entries(rel string) (int, error) {
	list, err := os.ReadDir(s.find(rel))
	n := len(list)
	if s.cfg.Form == drvgen.VendorDirectory && path.Dir(s.cfg.Vendor) == rel &&
		!slices.ContainsFunc(list, func(e fs.DirEntry) bool { return e.Name() == path.Base(s.cfg.Vendor) }) {
		n++
	}
	return n, err
}

// need returns the reason why a test must run again, or nil.
func (s allSources) need(r *action.TestResult) (*Need, error) {
	need := &Need{Leaving: r.Leaving}
	looked := false
	for _, first := range slices.Sorted(maps.Keys(r.Missing)) {
		has, err := s.has(first)
		if err != nil {
			return nil, err
		}
		if !has {
			continue
		}
		looked = true
		need.Data = append(need.Data, s.existing(first, r.Missing[first])...)
	}
	for _, dir := range slices.Sorted(maps.Keys(r.Listed)) {
		n, err := s.entries(dir)
		if err != nil {
			return nil, err
		}
		if n != r.Listed[dir] {
			looked = true
			need.Data = append(need.Data, dir)
		}
	}
	need.Data = slices.Compact(slices.Sorted(slices.Values(need.Data)))
	modules := r.Modules && s.cfg.Form != drvgen.NoModules || slices.ContainsFunc(need.Data, s.isVendor)
	switch {
	case r.Unseen != "":
		need.Why = "it is not known what it looks for: " + r.Unseen
		need.Data = nil
	case modules:
		need.Why = "it looked for modules other than its own"
		need.Data = nil
	case looked:
		need.Why = "it looked for " + strings.Join(need.Data, ", ")
	case !r.Passed:
		need.Why = "it failed with the files of its package"
	default:
		return nil, nil
	}
	return need, nil
}

// existing returns those of the paths that exist, or else first, which all of them equal
// or are below.
func (s allSources) existing(first string, paths []string) []string {
	var list []string
	for _, p := range paths {
		if _, err := os.Stat(s.find(p)); err == nil {
			list = append(list, p)
		}
	}
	// A path includes all paths below it.
	slices.Sort(list)
	list = slices.DeleteFunc(list, func(p string) bool {
		return p == first && len(list) > 1
	})
	if len(list) == 0 {
		return []string{first}
	}
	return list
}

// isVendor reports whether a path is in the vendor directory, whose files testData cannot
// add.
func (s allSources) isVendor(rel string) bool {
	return bind.InDir(rel, s.cfg.Vendor)
}
