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

// Needs lists the tests that must run with all of src. Where there are none it is
// empty, so that what depends on it stays the same.
type Needs struct {
	Src     string             `json:"src,omitempty"`
	Vendor  string             `json:"vendor,omitempty"`
	Form    drvgen.ModulesForm `json:"form,omitempty"`
	Modules string             `json:"modules,omitempty"`
	Tests   []Need             `json:"tests,omitempty"`
}

// A Need is a test that must run with all of src, and why.
type Need struct {
	Name    string `json:"name"`
	Program string `json:"program"`
	Why     string `json:"why"`
	// Data are what it looked for: with these as testData it would not need
	// the rest. Empty where they would not do.
	Data []string `json:"data,omitempty"`
	// Leaving are symlinks that it followed out of src, with their targets.
	Leaving map[string]string `json:"leaving,omitempty"`
}

// FindNeeds compares what tests looked for with what all of src has. A pass
// counts if the test looked for nothing that src has and its run had not.
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

// allSources is src with the modules that belong to it.
type allSources struct{ cfg *drvgen.NeedsConfig }

// find returns where a path relative to src is.
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

// entries is how many entries a directory has.
func (s allSources) entries(rel string) (int, error) {
	list, err := os.ReadDir(s.find(rel))
	n := len(list)
	if s.cfg.Form == drvgen.VendorDirectory && path.Dir(s.cfg.Vendor) == rel &&
		!slices.ContainsFunc(list, func(e fs.DirEntry) bool { return e.Name() == path.Base(s.cfg.Vendor) }) {
		n++
	}
	return n, err
}

// need returns why a test must run again, or nil.
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

// existing returns those of the paths that are there, or else first, at or below
// which they all are.
func (s allSources) existing(first string, paths []string) []string {
	var list []string
	for _, p := range paths {
		if _, err := os.Stat(s.find(p)); err == nil {
			list = append(list, p)
		}
	}
	// A path stands for all that is below it.
	slices.Sort(list)
	list = slices.DeleteFunc(list, func(p string) bool {
		return p == first && len(list) > 1
	})
	if len(list) == 0 {
		return []string{first}
	}
	return list
}

// isVendor reports whether a path is of the vendor directory, which testData
// cannot bring along.
func (s allSources) isVendor(rel string) bool {
	return bind.InDir(rel, s.cfg.Vendor)
}
