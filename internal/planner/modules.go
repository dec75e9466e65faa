package planner

import (
	"context"
	"errors"
	"fmt"
	"go/version"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"dgd/internal/gocmd"
	"dgd/internal/modules"
	"dgd/internal/skeleton"
	"dgd/internal/source"
)

// A place says where in the sources the modules of a build are.
type place struct {
	src     string                  // the sources
	modRoot string                  // where the go command runs, src or below it
	root    string                  // where the vendor directory belongs, modRoot or above it
	work    bool                    // root has a go.work, which makes modRoot a part of a workspace
	modFile string                  // what -modfile puts in the place of modRoot's go.mod, or empty
	leaving map[string]*source.Link // by symbolic link that leads out of src: the one by which it does

	replaces []*modfile.Replace // of go.work and of the main modules, as members found them
	changed  []string           // files that overrides have changed
}

// closeLinks makes the symlinks that lead out of the sources lead nowhere:
// what is there is another thing while planning than for who wrote them.
func (p *place) closeLinks() error {
	p.leaving = map[string]*source.Link{}
	err := filepath.WalkDir(p.src, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink == 0 {
			return err
		}
		link, err := source.Leaves(p.src, p.rel(path))
		if link != nil {
			p.leaving[p.rel(path)] = link
		}
		return err
	})
	if err != nil {
		return err
	}
	for name := range p.leaving {
		path := filepath.Join(p.src, name)
		if err := os.Remove(path); err != nil {
			return err
		}
		if err := os.Symlink(skeleton.Outside, path); err != nil {
			return err
		}
	}
	return nil
}

// locate finds the workspace of a module, if it has one. Env is that of the go
// command.
func locate(src, modRoot string, env map[string]string) (place, error) {
	p := place{src: src, modRoot: filepath.Join(src, modRoot)}
	p.root = p.modRoot
	if name := namedFiles(env)["modfile"]; name != "" && !filepath.IsAbs(name) {
		p.modFile = filepath.Join(p.modRoot, filepath.FromSlash(name))
	}
	if !filepath.IsLocal(filepath.Clean(modRoot)) && modRoot != "" {
		return p, fmt.Errorf("modRoot is %s, which is not below src", modRoot)
	}
	switch gowork := env["GOWORK"]; gowork {
	case "off":
		return p, nil
	case "", "auto":
	default:
		return p, fmt.Errorf("env.GOWORK is %s: dgd takes the go.work of modRoot or of a directory above it in src; the variable can only be \"off\"", gowork)
	}
	for dir := p.modRoot; ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(filepath.Join(dir, "go.work")); err == nil && !info.IsDir() {
			p.root, p.work = dir, true
			return p, nil
		}
		if dir == filepath.Clean(src) {
			return p, nil
		}
	}
}

// rel is a path relative to the sources.
func (p *place) rel(path string) string {
	rel, err := filepath.Rel(p.src, path)
	if err != nil {
		return path
	}
	return filepath.ToSlash(rel)
}

func (p *place) vendor() string { return filepath.Join(p.root, "vendor") }

// vendored reports whether packages of other modules come from the vendor directory.
func (p *place) vendored() bool { return exists(filepath.Join(p.vendor(), "modules.txt")) }

// modulePlaces returns the directories of third-party modules, relative to the
// vendor directory or the module cache.
func (p *place) modulePlaces(cache string) ([]string, error) {
	var list []string
	if cache == "" {
		if !p.vendored() {
			return nil, nil
		}
		text, err := os.ReadFile(filepath.Join(p.vendor(), "modules.txt"))
		if err != nil {
			return nil, err
		}
		for _, m := range modules.Parse(text) {
			list = append(list, m.Path)
		}
		return list, nil
	}
	if !exists(cache) { // of a lock without modules
		return nil, nil
	}
	return list, filepath.WalkDir(cache, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink == 0 && !entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(cache, file)
		if err != nil {
			return err
		}
		if rel == "cache" {
			return fs.SkipDir
		}
		if strings.Contains(entry.Name(), "@") {
			list = append(list, filepath.ToSlash(rel))
			if entry.IsDir() {
				return fs.SkipDir
			}
		}
		return nil
	})
}

// kind is the go command's word for what holds the modules of the build.
func (p *place) kind() string {
	if p.work {
		return "work"
	}
	return "mod"
}

// A member is one of the main modules.
type member struct {
	dir string
	mod *modfile.File
}

// members reads the go.mod files of the main modules. It says whether they need
// modules that are not in the sources, too.
func (p *place) members() (list []member, needs bool, err error) {
	dirs := []string{p.modRoot}
	var replaces []*modfile.Replace
	if p.work {
		file := filepath.Join(p.root, "go.work")
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, false, err
		}
		work, err := modfile.ParseWork(p.rel(file), text, nil)
		if err != nil {
			return nil, false, fmt.Errorf("src: %w", err)
		}
		dirs, replaces = nil, work.Replace
		for _, use := range work.Use {
			dir := filepath.Join(p.root, filepath.FromSlash(use.Path))
			if filepath.IsAbs(use.Path) || !filepath.IsLocal(p.rel(dir)) {
				return nil, false, fmt.Errorf("src: %s:%d: %s is not in src", p.rel(file), use.Syntax.Start.Line, use.Path)
			}
			dirs = append(dirs, dir)
		}
	}
	here := map[string]bool{}
	for _, dir := range dirs {
		mod, err := p.readMod(dir)
		if err != nil {
			return nil, false, err
		}
		here[mod.Module.Mod.Path] = true
		replaces = append(replaces, mod.Replace...)
		list = append(list, member{dir, mod})
	}
	p.replaces = replaces
	for _, m := range list {
		for _, r := range m.mod.Require {
			if here[r.Mod.Path] || slices.ContainsFunc(replaces, func(by *modfile.Replace) bool {
				return by.Old.Path == r.Mod.Path && by.New.Version == "" && (by.Old.Version == "" || by.Old.Version == r.Mod.Version)
			}) {
				continue
			}
			needs = true
		}
	}
	return list, needs, nil
}

// goMod is the go.mod file that the go command takes for a main module.
func (p *place) goMod(dir string) string {
	if dir == p.modRoot && p.modFile != "" {
		return p.modFile
	}
	return filepath.Join(dir, "go.mod")
}

// goSum is the same for go.sum.
func (p *place) goSum(dir string) string {
	return strings.TrimSuffix(p.goMod(dir), ".mod") + ".sum"
}

// readMod reads the go.mod of a directory.
func (p *place) readMod(dir string) (*modfile.File, error) {
	file := p.goMod(dir)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if p.work {
			return nil, fmt.Errorf("src has no %s, although %s names the directory", p.rel(file), p.rel(filepath.Join(p.root, "go.work")))
		}
		return nil, p.noModule(p.rel(file))
	}
	if err != nil {
		return nil, err
	}
	mod, err := modfile.Parse(p.rel(file), text, func(_, version string) (string, error) { return version, nil })
	if err != nil {
		// What only a newer Go understands is no reason to stop.
		if mod, err = modfile.ParseLax(p.rel(file), text, nil); err != nil {
			return nil, fmt.Errorf("src: %w", err)
		}
	}
	if mod.Module == nil {
		return nil, fmt.Errorf("src: %s names no module", p.rel(file))
	}
	return mod, nil
}

// noModule says where in the sources there are modules.
func (p *place) noModule(file string) error {
	var found []string
	err := filepath.WalkDir(p.src, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "vendor" || d.Name() == "testdata"):
			return fs.SkipDir
		case d.Name() == "go.mod" && !d.IsDir():
			found = append(found, p.rel(filepath.Dir(path)))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("src has no %s: dgd builds Go modules", file)
	}
	slices.Sort(found)
	more := ""
	if len(found) > 10 {
		found, more = found[:10], ", …"
	}
	return fmt.Errorf("src has no %s, but there is one in %s%s: say which module to build, as in modRoot = %q;", file, strings.Join(found, ", "), more, found[0])
}

// others returns the modules whose packages the go command reads where they
// are, by directory, but for the main module of modRoot.
func (p *place) others(ctx context.Context, g *goCommand, locked bool, members []member) (map[string]string, error) {
	found := map[string]string{}
	for _, m := range members {
		if m.dir != p.modRoot {
			found[m.dir] = m.mod.Module.Mod.Path
		}
	}
	if p.vendored() || !slices.ContainsFunc(members, func(m member) bool { return len(m.mod.Require) > 0 }) {
		return found, nil
	}
	names := []string{"all"}
	if locked {
		// A lock has no more go.mod files than a build needs.
		if names = p.byDirectory(members); len(names) == 0 {
			return found, nil
		}
	}
	// Which version a directory stands for is decided by all go.mod files together.
	// Of a module that no package comes from there may be no file at all: -e.
	out, err := g.output(ctx, p.modRoot, slices.Concat([]string{"list", "-m", "-e", "-json=Path,Version,Dir,Main", "--"}, names)...)
	if err != nil {
		return nil, g.failure(p.modRoot, err.Error())
	}
	list, err := gocmd.Decode[struct {
		Path, Version, Dir string
		Main               bool
	}]("go list", out)
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		if !m.Main && m.Dir != "" {
			found[m.Dir] = m.Path
			if m.Version != "" {
				found[m.Dir] += "@" + m.Version
			}
		}
	}
	return found, nil
}

// byDirectory returns the modules that a directory may stand in for. From go
// 1.17 on a go.mod requires every module that is needed.
func (p *place) byDirectory(members []member) []string {
	required := map[string]bool{}
	complete := !p.work
	for _, m := range members {
		complete = complete && m.mod.Go != nil && version.Compare("go"+m.mod.Go.Version, "go1.17") >= 0
		for _, r := range m.mod.Require {
			required[r.Mod.Path] = true
		}
	}
	var names []string
	for _, by := range p.replaces {
		if by.New.Version == "" && (required[by.Old.Path] || !complete) {
			names = append(names, by.Old.Path)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
