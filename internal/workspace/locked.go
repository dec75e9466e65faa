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
	Text    string         `json:"text"` // the text of dgd.lock
	Modules []LockedModule `json:"modules"`
	GoMods  string         `json:"goMods"` // directory of further go.mod files, named as in a download cache, or ""
}

// A LockedModule is a module that packages come from. Of a module that another one
// replaces, it is the replacement.
type LockedModule struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	Sum     string `json:"sum"`    // checksum as in go.sum; "" for a version that the lock does not have
	Locked  string `json:"locked"` // the version that the lock has
	Origin  string `json:"origin"` // store path of the tree as it was fetched
	Tree    string `json:"tree"`   // store path of the patched tree; Origin if there are no patches
}

// goMod returns the text of the module's go.mod file. It is that of Origin, as
// go.sum has its checksum: patches do not count.
func (m *LockedModule) goMod() ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(m.Origin, "go.mod"))
	if errors.Is(err, fs.ErrNotExist) {
		// The text that a module proxy makes for a module without go.mod.
		return fmt.Appendf(nil, "module %s\n", modfile.AutoQuote(m.Path)), nil
	}
	return text, err
}

// sum returns the checksum of the module's tree in the form of go.sum.
func (m *LockedModule) sum() (string, error) {
	if m.Sum != "" {
		return m.Sum, nil
	}
	return dirhash.HashDir(m.Origin, m.module().String(), dirhash.Hash1)
}

// Dir returns the directory of the module, relative to GOMODCACHE.
func (m *LockedModule) Dir() (string, error) { return modules.TreeName(m.module()) }

func (m *LockedModule) module() module.Version {
	return module.Version{Path: m.Path, Version: m.Version}
}

// UseLock checks that the lock fits the sources, writes the versions of overrides
// to them, and makes a module cache in the directory cache.
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

// checkLock parses the lock and returns an error if it does not fit the sources.
// Evaluation has compared them already if it could read the sources.
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

// project reads the go.mod, go.sum and go.work files that a lock is compared with.
func (p *Place) project(members []Member) (*lock.ModFiles, error) {
	project := &lock.ModFiles{}
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
// downloaded and unpacked. Trees are symlinks; the directories above them are
// writable, since the go command makes lock files in them.
func (l *Locked) WriteCache(cache string) error {
	downloads := modules.DownloadDir(cache)
	if err := os.MkdirAll(downloads, 0o777); err != nil { // also for a lock without modules
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
			".info": fmt.Appendf(nil, "{%q:%q}", "Version", m.Version), // read by `go list -m`
			// The go command compares both with go.sum.
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
