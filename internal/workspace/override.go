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

// An Override is what dgd was told to do with a module wherever it is used.
type Override struct {
	Path    string `json:"path"`
	Version string `json:"version"` // another one, or ""
	Patched bool   `json:"patched"`
}

// CheckOverrides fails where an override concerns a module that is not of a
// lock, and cannot be met: a vendor directory of the sources is as it is, and
// what vendorHash is the hash of has its versions. Own says that it is the
// former.
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
				return fmt.Errorf("moduleOverrides concerns %s, which is in the vendor directory of src (%s), and that is taken as it is: change it there, or set deleteVendor = true", path, version)
			case o.Version != "" && o.Version != version:
				return fmt.Errorf("moduleOverrides gives %s the version %s, and vendorHash is the hash of %s: build with a lock (the argument `modules`), or run `go get` and renew vendorHash", path, o.Version, version)
			}
		}
	}
	return nil
}

// Raised returns the modules whose version is not the one in the lock.
func (l *Locked) Raised() []LockedModule {
	return slices.DeleteFunc(slices.Clone(l.Modules), func(m LockedModule) bool { return m.Version == m.Locked })
}

// override gives the modules of overrides their versions in the main modules'
// go.mod and go.sum files, as `go get` would. It does not give other modules
// newer versions, which these may require: that is an error.
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

// checkRequirements checks that the modules of overrides and the others require
// no newer versions of each other.
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

// setVersion writes a module's version to the go.mod and go.work files that
// name it.
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
		case !found && i == 0: // another module's requirement
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

// change writes a file of the sources anew.
func (p *Place) change(file string, text []byte) error {
	p.Changed = append(p.Changed, file)
	return os.WriteFile(file, text, 0o666)
}

// hashGoMod is the checksum of a go.mod file, as go.sum has it.
func hashGoMod(text []byte) (string, error) {
	return dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(text)), nil
	})
}

// addSums adds lines to the go.sum of a directory. Where it has the modules
// already, with other checksums, Go says so.
func (p *Place) addSums(dir, lines string) error {
	file := p.goSum(dir)
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return p.change(file, fmt.Append(text, "\n", lines))
}
