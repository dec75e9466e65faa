package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"

	"dgd/internal/lock"
	"dgd/internal/modules"
)

// Locked is a lock with the trees of its modules.
type Locked struct {
	Text    string         `json:"text"` // of the lock
	Modules []LockedModule `json:"modules"`
	GoMods  string         `json:"goMods"` // directory of further go.mod files, named as in a download cache, or empty
}

// A LockedModule is a module that packages come from: where a module stands in
// for another one, that module.
type LockedModule struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	Sum     string `json:"sum"`    // as in go.sum; empty for a version that the lock does not have
	Locked  string `json:"locked"` // the version that the lock has
	Origin  string `json:"origin"` // store path of the tree as it was fetched
	Tree    string `json:"tree"`   // the same, or that of the patched tree
}

// goMod is the module's go.mod file. Patches do not change what go.sum is about.
func (m *LockedModule) goMod() ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(m.Origin, "go.mod"))
	if errors.Is(err, fs.ErrNotExist) {
		// What a proxy says of such a module.
		return fmt.Appendf(nil, "module %s\n", modfile.AutoQuote(m.Path)), nil
	}
	return text, err
}

// sum is the module's checksum, as go.sum has it.
func (m *LockedModule) sum() (string, error) {
	if m.Sum != "" {
		return m.Sum, nil
	}
	return dirhash.HashDir(m.Origin, m.module().String(), dirhash.Hash1)
}

// Dir is the module's place below GOMODCACHE.
func (m *LockedModule) Dir() (string, error) { return modules.TreeName(m.module()) }

func (m *LockedModule) module() module.Version {
	return module.Version{Path: m.Path, Version: m.Version}
}

// UseLock makes the module cache of a lock, and gives overrides their versions.
func (p *Place) UseLock(cfg *Locked, members []Member, cache string) error {
	l, err := p.checkLock(cfg, members)
	if err != nil {
		return err
	}
	if err := p.override(cfg, l, members); err != nil {
		return err
	}
	return cfg.WriteCache(cache)
}

// checkLock compares the lock with the sources. If evaluation could read these,
// it has compared them already.
func (p *Place) checkLock(cfg *Locked, members []Member) (*lock.Lock, error) {
	l, err := lock.Parse(lock.Name, []byte(cfg.Text))
	if err != nil {
		return nil, err
	}
	project, err := p.project(members)
	if err != nil {
		return nil, err
	}
	found, err := lock.Check(l, project)
	if err != nil {
		return nil, fmt.Errorf("src: %w", err)
	}
	if len(found) > 0 {
		lines := ""
		for _, f := range found {
			lines += "  " + f.String() + "\n"
		}
		return nil, fmt.Errorf("%s does not fit src:\n%srun `dgd lock` in its directory", lock.Name, lines)
	}
	return l, nil
}

// project reads the files that a lock is compared with.
func (p *Place) project(members []Member) (*lock.Project, error) {
	project := &lock.Project{}
	read := func(file string) (*lock.File, error) {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return &lock.File{Name: p.Rel(file), Text: text}, err
	}
	add := func(list *[]lock.File, name string) error {
		file, err := read(name)
		if file != nil && err == nil {
			*list = append(*list, *file)
		}
		return err
	}
	for _, m := range members {
		if err := add(&project.GoMods, p.goMod(m.Dir)); err != nil {
			return nil, err
		}
		if err := add(&project.GoSums, p.goSum(m.Dir)); err != nil {
			return nil, err
		}
	}
	if !p.work {
		return project, nil
	}
	if err := add(&project.GoSums, filepath.Join(p.Root, "go.work.sum")); err != nil {
		return nil, err
	}
	var err error
	project.GoWork, err = read(filepath.Join(p.Root, "go.work"))
	return project, err
}

// WriteCache makes a module cache in which the go command finds all modules
// downloaded and unpacked. The files in it are links; the directories are its
// own, since go makes lock files where it looks for more.
func (l *Locked) WriteCache(cache string) error {
	downloads := modules.DownloadDir(cache)
	if err := os.MkdirAll(downloads, 0o777); err != nil { // of a lock without modules, too
		return err
	}
	for _, m := range l.Modules {
		tree, err := m.Dir()
		if err != nil {
			return err
		}
		if err := link(m.Tree, filepath.Join(cache, tree)); err != nil {
			return err
		}
		download, err := modules.DownloadName(m.module())
		if err != nil {
			return err
		}
		file := filepath.Join(downloads, download)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			return err
		}
		mod, err := m.goMod()
		if err != nil {
			return err
		}
		sum, err := m.sum()
		if err != nil {
			return err
		}
		for ext, text := range map[string][]byte{
			".info": fmt.Appendf(nil, "{%q:%q}", "Version", m.Version), // a build does not read it, `go list -m` does
			// Go compares both with go.sum.
			".mod":     mod,
			".ziphash": []byte(sum),
		} {
			if err := os.WriteFile(file+ext, text, 0o666); err != nil {
				return err
			}
		}
	}
	if l.GoMods == "" {
		return nil
	}
	return linkFiles(l.GoMods, downloads)
}
