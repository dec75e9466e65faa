package making

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"dgd/internal/lock"
	"dgd/internal/modules"
)

// needed returns the modules for the lock, sorted by path, without sums and
// hashes: those whose files are needed, and those that go.mod only requires
// (bare).
//
// list is the build list, vendored has the packages that are needed of each
// module, and packages are the packages of the main modules. A module whose path
// is a prefix of a package's import path is needed as well if go.sum has it: the
// go command reads its files to see that no second module has the package.
func needed(r *lock.Requirements, list []lock.Module, vendored []modules.Module, packages []string) (files, bare []lock.Module) {
	begins := map[string]bool{}
	mark := func(pkg string) {
		for ; pkg != "." && pkg != "/" && !begins[pkg]; pkg = path.Dir(pkg) {
			begins[pkg] = true
		}
	}
	for _, pkg := range packages {
		mark(pkg)
	}
	for _, m := range vendored {
		for _, pkg := range m.Packages {
			mark(pkg)
		}
	}
	all := map[string]lock.Module{}
	for _, m := range list {
		all[m.Path] = m
	}
	used := map[string]bool{}
	for _, m := range vendored {
		if len(m.Packages) > 0 {
			used[m.Path] = true
			all[m.Path] = lock.Module{Path: m.Path, Version: m.Version, Replace: m.Replace}
		}
	}
	for _, m := range all {
		switch {
		case m.Replace.Path != "" && m.Replace.Version == "": // a directory
		case used[m.Path], begins[m.Path] && len(r.Sums[m.Source()]) > 0:
			files = append(files, m)
		case r.Required[m.Path] != "":
			bare = append(bare, m)
		}
	}
	slices.SortFunc(files, byPath)
	slices.SortFunc(bare, byPath)
	return files, bare
}

func byPath(a, b lock.Module) int { return cmp.Compare(a.Path, b.Path) }

// move moves the modules more from bare, or adds them from the build list, to the
// modules whose files are needed.
func move(list, files, bare []lock.Module, more []module.Version) ([]lock.Module, []lock.Module, error) {
	for _, source := range more {
		i := slices.IndexFunc(list, func(m lock.Module) bool { return m.Source() == source })
		if i < 0 || slices.ContainsFunc(files, func(m lock.Module) bool { return m.Source() == source }) {
			return nil, nil, fmt.Errorf("the go command reads %s, which is not in the build list", source)
		}
		files = append(files, list[i])
		bare = slices.DeleteFunc(bare, func(m lock.Module) bool { return m.Path == list[i].Path })
	}
	slices.SortFunc(files, byPath)
	return files, bare, nil
}

// required returns the build list of a project whose go.mod has all of it.
func required(r *lock.Requirements) []lock.Module {
	var list []lock.Module
	for path, version := range r.Required {
		by := r.Replacement(module.Version{Path: path, Version: version})
		list = append(list, lock.Module{Path: path, Version: version, Replace: by})
	}
	return list
}

// mainPackages returns the import paths of the directories with Go files, for any
// platform, in the main modules.
func (p *Project) mainPackages() ([]string, error) {
	var list []string
	for i, root := range p.Members {
		prefix := modfile.ModulePath(p.GoMods[i].Text)
		root, err := filepath.EvalSymlinks(root)
		if err != nil {
			return nil, err
		}
		err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrPermission) && name != root {
				return nil // the go command finds no packages there either
			}
			if err != nil {
				return err
			}
			if d.IsDir() {
				if name != root && (strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") ||
					d.Name() == "vendor" || exists(filepath.Join(name, "go.mod"))) {
					return fs.SkipDir
				}
				return nil
			}
			if path.Ext(d.Name()) != ".go" {
				return nil
			}
			rel, err := filepath.Rel(root, filepath.Dir(name))
			if pkg := path.Join(prefix, filepath.ToSlash(rel)); len(list) == 0 || list[len(list)-1] != pkg {
				list = append(list, pkg)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// absoluteWork returns the text of go.work with absolute paths, so that it can be
// in another directory.
func (p *Project) absoluteWork() ([]byte, error) {
	work, err := modfile.ParseWork(p.GoWork.Name, p.GoWork.Text, nil)
	if err != nil {
		return nil, err
	}
	for _, use := range slices.Clone(work.Use) {
		if err := work.DropUse(use.Path); err != nil {
			return nil, err
		}
	}
	for _, dir := range p.Members {
		if err := work.AddUse(filepath.ToSlash(dir), ""); err != nil {
			return nil, err
		}
	}
	for _, by := range slices.Clone(work.Replace) {
		if by.New.Version == "" {
			if err := work.AddReplace(by.Old.Path, by.Old.Version, filepath.ToSlash(p.absolute(by.New.Path)), ""); err != nil {
				return nil, err
			}
		}
	}
	work.Cleanup()
	return modfile.Format(work.Syntax), nil
}

// writeFile writes a file and creates its directory.
func writeFile(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o666)
}
