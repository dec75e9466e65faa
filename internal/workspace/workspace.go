// Package workspace is a Go project as the go command sees it while a build is
// planned: its go.mod and go.work files, the vendor directory or the module
// cache that it takes packages from, and what a lock and overrides make of them.
package workspace

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
	"dgd/internal/goflags"
	"dgd/internal/modules"
	"dgd/internal/nix/nar"
	"dgd/internal/skeleton"
)

// A Place says where in the sources the modules of a build are.
type Place struct {
	Src     string               // the sources
	ModRoot string               // where the go command runs, src or below it
	Root    string               // where the vendor directory belongs, modRoot or above it
	work    bool                 // root has a go.work, which makes modRoot a part of a workspace
	modFile string               // what -modfile puts in the place of modRoot's go.mod, or empty
	Leaving map[string]*nar.Link // by symlink that leads out of src: the one by which it does

	replaces []*modfile.Replace // of go.work and of the main modules, as members found them
	Changed  []string           // files that overrides have changed
}

// CloseLinks replaces symlinks that lead out of the sources by links to nothing:
// while planning there is something else at such a place than where the author
// made the link.
func (p *Place) CloseLinks() error {
	p.Leaving = map[string]*nar.Link{}
	err := filepath.WalkDir(p.Src, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink == 0 {
			return err
		}
		link, err := nar.Leaves(p.Src, p.Rel(path))
		if link != nil {
			p.Leaving[p.Rel(path)] = link
		}
		return err
	})
	if err != nil {
		return err
	}
	for name := range p.Leaving {
		path := filepath.Join(p.Src, name)
		if err := os.Remove(path); err != nil {
			return err
		}
		if err := os.Symlink(skeleton.Outside, path); err != nil {
			return err
		}
	}
	return nil
}

// Locate finds the workspace of a module, if it has one. Env is that of the go
// command.
func Locate(src, modRoot string, env map[string]string) (Place, error) {
	p := Place{Src: src, ModRoot: filepath.Join(src, modRoot)}
	p.Root = p.ModRoot
	if name := NamedFiles(env)["modfile"]; name != "" && !filepath.IsAbs(name) {
		p.modFile = filepath.Join(p.ModRoot, filepath.FromSlash(name))
	}
	if !filepath.IsLocal(filepath.Clean(modRoot)) && modRoot != "" {
		return p, fmt.Errorf("modRoot is %s, which is not below src", modRoot)
	}
	switch gowork := env["GOWORK"]; gowork {
	case "off":
		return p, nil
	case "", "auto":
	default:
		if filepath.Base(gowork) != "go.work" || !filepath.IsLocal(p.Rel(gowork)) || !Exists(gowork) {
			return p, fmt.Errorf("env.GOWORK is %s: it can be \"off\" or, from a hook (`export GOWORK=$PWD/go.work`), the path of a go.work in src; without it, the go.work of modRoot or of a directory above it counts", gowork)
		}
		p.Root, p.work = filepath.Dir(gowork), true
		return p, nil
	}
	for dir := p.ModRoot; ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(filepath.Join(dir, "go.work")); err == nil && !info.IsDir() {
			p.Root, p.work = dir, true
			return p, nil
		}
		if dir == filepath.Clean(src) {
			return p, nil
		}
	}
}

// Rel is a path relative to the sources.
func (p *Place) Rel(path string) string {
	rel, err := filepath.Rel(p.Src, path)
	if err != nil {
		return path
	}
	return filepath.ToSlash(rel)
}

// Vendor returns where the vendor directory is, or would be.
func (p *Place) Vendor() string { return filepath.Join(p.Root, "vendor") }

// Vendored reports whether packages of other modules come from the vendor directory.
func (p *Place) Vendored() bool { return Exists(filepath.Join(p.Vendor(), "modules.txt")) }

// ModulePlaces returns the directories of third-party modules, relative to the
// vendor directory or the module cache.
func (p *Place) ModulePlaces(cache string) ([]string, error) {
	var list []string
	if cache == "" {
		if !p.Vendored() {
			return nil, nil
		}
		text, err := os.ReadFile(filepath.Join(p.Vendor(), "modules.txt"))
		if err != nil {
			return nil, err
		}
		for _, m := range modules.Parse(text) {
			list = append(list, m.Path)
		}
		return list, nil
	}
	if !Exists(cache) { // of a lock without modules
		return nil, nil
	}
	err := fs.WalkDir(os.DirFS(cache), ".", func(rel string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink == 0 && !entry.IsDir() {
			return err
		}
		if rel == "cache" {
			return fs.SkipDir
		}
		if strings.Contains(entry.Name(), "@") {
			list = append(list, rel)
			if entry.IsDir() {
				return fs.SkipDir
			}
		}
		return nil
	})
	return list, err
}

// Kind is the go command's word for what holds the modules of the build.
func (p *Place) Kind() string {
	if p.work {
		return "work"
	}
	return "mod"
}

// A Member is one of the main modules.
type Member struct {
	Dir string
	Mod *modfile.File
}

// Members reads the go.mod files of the main modules. It also reports whether they
// need modules that are not in the sources.
func (p *Place) Members() (list []Member, needs bool, err error) {
	dirs := []string{p.ModRoot}
	var replaces []*modfile.Replace
	if p.work {
		file := filepath.Join(p.Root, "go.work")
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, false, err
		}
		work, err := modfile.ParseWork(p.Rel(file), text, nil)
		if err != nil {
			return nil, false, fmt.Errorf("src: %w", err)
		}
		dirs, replaces = nil, work.Replace
		for _, use := range work.Use {
			dir := filepath.Join(p.Root, filepath.FromSlash(use.Path))
			if filepath.IsAbs(use.Path) || !filepath.IsLocal(p.Rel(dir)) {
				return nil, false, fmt.Errorf("src: %s:%d: %s is not in src", p.Rel(file), use.Syntax.Start.Line, use.Path)
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
		list = append(list, Member{dir, mod})
	}
	p.replaces = replaces
	for _, m := range list {
		for _, r := range m.Mod.Require {
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
func (p *Place) goMod(dir string) string {
	if dir == p.ModRoot && p.modFile != "" {
		return p.modFile
	}
	return filepath.Join(dir, "go.mod")
}

// goSum is the go.sum file that the go command takes for a main module.
func (p *Place) goSum(dir string) string {
	return strings.TrimSuffix(p.goMod(dir), ".mod") + ".sum"
}

// readMod reads the go.mod of a directory.
func (p *Place) readMod(dir string) (*modfile.File, error) {
	file := p.goMod(dir)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if p.work {
			return nil, fmt.Errorf("src has no %s, although %s names the directory", p.Rel(file), p.Rel(filepath.Join(p.Root, "go.work")))
		}
		return nil, p.noModule(p.Rel(file))
	}
	if err != nil {
		return nil, err
	}
	mod, err := modfile.Parse(p.Rel(file), text, func(_, version string) (string, error) { return version, nil })
	if err != nil {
		// What only a newer Go understands is no reason to stop.
		if mod, err = modfile.ParseLax(p.Rel(file), text, nil); err != nil {
			return nil, fmt.Errorf("src: %w", err)
		}
	}
	if mod.Module == nil {
		return nil, fmt.Errorf("src: %s names no module", p.Rel(file))
	}
	return mod, nil
}

// noModule says where in the sources there are modules.
func (p *Place) noModule(file string) error {
	var found []string
	err := filepath.WalkDir(p.Src, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "vendor" || d.Name() == "testdata"):
			return fs.SkipDir
		case d.Name() == "go.mod" && !d.IsDir():
			found = append(found, p.Rel(filepath.Dir(path)))
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

// Others returns the modules whose packages the go command reads where they
// are, by directory, but for the main module of modRoot.
func (p *Place) Others(ctx context.Context, g *gocmd.Command, locked bool, members []Member) (map[string]string, error) {
	found := map[string]string{}
	for _, m := range members {
		if m.Dir != p.ModRoot {
			found[m.Dir] = m.Mod.Module.Mod.Path
		}
	}
	if p.Vendored() || !slices.ContainsFunc(members, func(m Member) bool { return len(m.Mod.Require) > 0 }) {
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
	out, err := g.Output(ctx, p.ModRoot, slices.Concat([]string{"list", "-m", "-e", "-json=Path,Version,Dir,Main", "--"}, names)...)
	if err != nil {
		return nil, g.Failure(p.ModRoot, err.Error())
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
func (p *Place) byDirectory(members []Member) []string {
	required := map[string]bool{}
	complete := !p.work
	for _, m := range members {
		complete = complete && m.Mod.Go != nil && version.Compare("go"+m.Mod.Go.Version, "go1.17") >= 0
		for _, r := range m.Mod.Require {
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

// NamedFiles returns the files that flags in $GOFLAGS name, by flag, relative to
// where the go command runs. Wrong flags are reported by the plan.
func NamedFiles(env map[string]string) map[string]string {
	flags, err := goflags.Split(env["GOFLAGS"])
	if err != nil {
		return nil
	}
	return goflags.Files(flags)
}
