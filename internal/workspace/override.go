package workspace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/sumdb/dirhash"

	"dgd/internal/lock"
	"dgd/internal/modules"
)

// An Override is an entry of the argument moduleOverrides.
type Override struct {
	Path    string `json:"path"`
	Version string `json:"version"` // the version to build with, or "" for that of go.mod
	Patched bool   `json:"patched"` // the module has patches
}

// CheckOverrides returns an error for the first override that cannot be met
// without a lock. List has the modules of a vendor directory or of a download
// cache, whose versions are fixed. Own means that it is the vendor directory of
// the sources, which cannot be patched either.
func CheckOverrides(overrides []Override, list []modules.Module, own bool) error {
	for _, m := range list {
		path, version := m.Path, m.Version
		if m.Replace.Path != "" {
			path, version = m.Replace.Path, m.Replace.Version
		}
		if !m.HasTree() || version == "" {
			continue
		}
		for _, o := range overrides {
			switch {
			case o.Path != path:
			case own && (o.Patched || o.Version != "" && o.Version != version):
				return fmt.Errorf("moduleOverrides concerns %s, which is in the vendor directory of src (%s), where overrides have no effect: change it there, or set deleteVendor = true", path, version)
			case o.Version != "" && o.Version != version:
				return fmt.Errorf("moduleOverrides gives %s the version %s, and vendorHash is the hash of %s: build with a lock (the argument `modules`), or run `go get`, then set vendorHash = \"\"; and Nix will report the correct hash", path, o.Version, version)
			}
		}
	}
	return nil
}

// Raised returns the modules to which an override gives another version than the
// lock has.
func (l *Locked) Raised() []LockedModule {
	return slices.DeleteFunc(slices.Clone(l.Modules), func(m LockedModule) bool { return m.Version == m.Locked })
}

// override writes the versions of overrides to the main modules' go.mod and go.sum
// files, as `go get` would. Where one of them requires a newer version of another
// module it does not raise that: it returns an error.
func (p *Place) override(cfg *Locked, l *lock.Lock, members []Member) error {
	raised := cfg.Raised()
	if len(raised) == 0 {
		return nil
	}
	if err := checkRequirements(cfg, l); err != nil {
		return err
	}
	var sums strings.Builder
	for _, m := range raised {
		sum, err := m.sum()
		if err != nil {
			return err
		}
		mod, err := m.goMod()
		if err != nil {
			return err
		}
		modSum, err := hashGoMod(mod)
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%s %s %s\n%s %s/go.mod %s\n", m.Path, m.Version, sum, m.Path, m.Version, modSum)
		if err := p.setVersion(m, members); err != nil {
			return err
		}
	}
	return p.addSums(members[0].Dir, sums.String())
}

// checkRequirements returns an error if a module requires a newer version of an
// overridden one than the override has, or if an overridden one requires a newer
// version of another module than the build has.
func checkRequirements(cfg *Locked, l *lock.Lock) error {
	selected := map[string]string{}
	overridden := map[string]string{}
	for _, m := range l.Modules {
		selected[m.Path] = m.Version
	}
	for _, m := range cfg.Raised() {
		for _, locked := range l.Modules {
			if locked.Replace == (module.Version{}) && locked.Path == m.Path {
				selected[m.Path] = m.Version
				overridden[m.Path] = m.Version
			}
		}
	}
	for _, m := range cfg.Modules {
		text, err := m.goMod()
		if err != nil {
			return err
		}
		mod, err := modfile.ParseLax(m.Path+"@"+m.Version+"/go.mod", text, nil)
		if err != nil {
			return err
		}
		for _, r := range mod.Require {
			version, ok := selected[r.Mod.Path]
			if !ok || semver.Compare(r.Mod.Version, version) <= 0 {
				continue
			}
			switch {
			case overridden[r.Mod.Path] != "":
				return fmt.Errorf("moduleOverrides gives %s the version %s, but %s %s requires %s: choose that or a newer one", r.Mod.Path, version, m.Path, m.Version, r.Mod.Version)
			case m.Version != m.Locked:
				return fmt.Errorf("moduleOverrides gives %s the version %s, which requires %s %s, but the build has %s: override %s, too", m.Path, m.Version, r.Mod.Path, r.Mod.Version, version, r.Mod.Path)
			}
		}
	}
	return nil
}

// setVersion writes the version of m to the go.mod and go.work files that require
// it or replace another module by it. If there is none, it adds a requirement to
// the first member's go.mod.
func (p *Place) setVersion(m LockedModule, members []Member) error {
	found := false
	var file string
	replace := func(list []*modfile.Replace, add func(oldPath, oldVersion, newPath, newVersion string) error) (changed bool, err error) {
		for _, r := range slices.Clone(list) {
			if r.New.Path == m.Path && r.New.Version == m.Locked {
				changed = true
				if err := add(r.Old.Path, r.Old.Version, m.Path, m.Version); err != nil {
					return false, err
				}
			}
		}
		found = found || changed
		return changed, nil
	}
	if p.work {
		file = filepath.Join(p.Root, "go.work")
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		work, err := modfile.ParseWork(p.Rel(file), text, nil)
		if err != nil {
			return err
		}
		changed, err := replace(work.Replace, work.AddReplace)
		if err != nil {
			return err
		}
		if changed {
			if err := p.change(file, modfile.Format(work.Syntax)); err != nil {
				return err
			}
		}
	}
	for i := range slices.Backward(members) {
		file = p.goMod(members[i].Dir)
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		mod, err := modfile.Parse(p.Rel(file), text, nil)
		if err != nil {
			return err
		}
		changed, err := replace(mod.Replace, mod.AddReplace)
		if err != nil {
			return err
		}
		requires := slices.ContainsFunc(mod.Require, func(r *modfile.Require) bool { return r.Mod.Path == m.Path })
		switch {
		case requires:
			changed, found = true, true
			err = mod.AddRequire(m.Path, m.Version)
		case !found && i == 0: // a third-party module requires it
			changed = true
			mod.AddNewRequire(m.Path, m.Version, true)
		}
		if err != nil {
			return err
		}
		if !changed {
			continue
		}
		if text, err = mod.Format(); err != nil {
			return err
		}
		if err := p.change(file, text); err != nil {
			return err
		}
	}
	return nil
}

// change overwrites a file of the sources, and records that.
func (p *Place) change(file string, text []byte) error {
	p.Changed = append(p.Changed, file)
	return os.WriteFile(file, text, 0o666)
}

// hashGoMod returns the checksum of a go.mod file in the form of go.sum.
func hashGoMod(text []byte) (string, error) {
	return dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(text)), nil
	})
}

// addSums appends lines to the go.sum of the main module in dir. If it has other
// checksums of the same modules, the go command reports that.
func (p *Place) addSums(dir, lines string) error {
	file := p.goSum(dir)
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return p.change(file, fmt.Append(text, "\n", lines))
}
