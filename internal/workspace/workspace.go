// Package workspace describes a Go project as the go command sees it while a build
// is planned: its go.mod and go.work files, the vendor directory or the module
// cache that packages come from, and the changes that a lock and overrides make.
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

// A Place says where in the sources the modules of a build are. All paths are
// absolute, but for the keys of Leaving.
type Place struct {
	Src     string               // the sources
	ModRoot string               // the directory where the go command runs: Src or below it
	Root    string               // the directory of go.work or go.mod, and of the vendor directory: ModRoot or above it
	work    bool                 // Root has a go.work, and ModRoot is part of that workspace
	modFile string               // the file that -modfile names in place of ModRoot's go.mod, or ""
	Leaving map[string]*nar.Link // symlinks that lead out of Src, by path relative to Src: the link in the chain that leaves it

	replaces []*modfile.Replace // of go.work and of the main modules; set by Members
	Changed  []string           // files that overrides have changed
}

// CloseLinks makes symlinks that lead out of the sources dangling, and records
// them in Leaving: the files at their targets here are not those that the author
// of the link had there.
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

// Locate returns the Place of the module in src/modRoot, and finds its workspace,
// if it has one. Env is the environment of the go command. It is an error if
// modRoot is not below src, or if GOWORK does not name a go.work in src.
func Locate(src, modRoot string, env map[string]string) (Place, error) {
	p := Place{Src: src, ModRoot: filepath.Join(src, modRoot)}
	p.Root = p.ModRoot
	if name := NamedFiles(env)["modfile"]; name != "" && !filepath.IsAbs(name) {
		p.modFile = filepath.Join(p.ModRoot, filepath.FromSlash(name))
	}
	if !filepath.IsLocal(filepath.Clean(modRoot)) {
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

// Rel returns a path relative to the sources, with slashes.
func (p *Place) Rel(path string) string {
	rel, err := filepath.Rel(p.Src, path)
	if err != nil {
		return path
	}
	return filepath.ToSlash(rel)
}

// Vendor returns the path of the vendor directory, whether or not it exists.
func (p *Place) Vendor() string { return filepath.Join(p.Root, "vendor") }

// Vendored reports whether packages of other modules come from the vendor directory.
func (p *Place) Vendored() bool { return Exists(filepath.Join(p.Vendor(), "modules.txt")) }

// ModulePlaces returns the directories of third-party modules, relative to the
// module cache, or to the vendor directory if cache is "".
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
	if !Exists(cache) { // the lock has no modules
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

// Kind returns "work" in a workspace, else "mod": the word in the go command's
// subcommands, as in `go work vendor`.
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

// Members reads the go.mod files of the main modules, in the order of go.work. It
// also reports whether they require modules that are not in the sources.
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
				return nil, false, fmt.Errorf("src: %s:%d: %s is not in src: let src be a directory above both, and set modRoot", p.Rel(file), use.Syntax.Start.Line, use.Path)
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

// goMod returns the path of the go.mod file that the go command reads for the main
// module in dir.
func (p *Place) goMod(dir string) string {
	if dir == p.ModRoot && p.modFile != "" {
		return p.modFile
	}
	return filepath.Join(dir, "go.mod")
}

// goSum returns the path of the go.sum file beside goMod.
func (p *Place) goSum(dir string) string {
	return strings.TrimSuffix(p.goMod(dir), ".mod") + ".sum"
}

// readMod parses the go.mod of the main module in dir.
func (p *Place) readMod(dir string) (*modfile.File, error) {
	file := p.goMod(dir)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if p.work {
			return nil, fmt.Errorf("src has no %s, although %s names the directory: add the file, or remove the directory there", p.Rel(file), p.Rel(filepath.Join(p.Root, "go.work")))
		}
		return nil, p.noModule(p.Rel(file))
	}
	if err != nil {
		return nil, err
	}
	mod, err := modfile.Parse(p.Rel(file), text, func(_, version string) (string, error) { return version, nil })
	if err != nil {
		// Directives that only a newer Go knows are no error here.
		if mod, err = modfile.ParseLax(p.Rel(file), text, nil); err != nil {
			return nil, fmt.Errorf("src: %w", err)
		}
	}
	if mod.Module == nil {
		return nil, fmt.Errorf("src: %s names no module: add a line `module PATH`", p.Rel(file))
	}
	return mod, nil
}

// noModule returns the error for sources that have no go.mod at file: it names up
// to ten directories that have one.
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

// Others returns the modules whose packages the go command reads in place: other
// members of the workspace, and replacements that are directories. The map is by
// absolute directory, and holds PATH or PATH@VERSION. The main module of ModRoot
// is not in it.
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
		// `all` needs more go.mod files than a lock has.
		if names = p.byDirectory(members); len(names) == 0 {
			return found, nil
		}
	}
	// The version that a directory replaces follows from all go.mod files together.
	// With -e, as the files of a module that no package comes from may be missing.
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

// byDirectory returns the paths of modules that a directory may replace, sorted.
// From go 1.17 on a go.mod requires every module that is needed; below that, a
// replacement counts whether or not its module is required.
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

// NamedFiles returns the files that flags in GOFLAGS of env name, by flag, relative
// to ModRoot. If GOFLAGS cannot be split it returns nil; planning reports that.
func NamedFiles(env map[string]string) map[string]string {
	flags, err := goflags.Split(env["GOFLAGS"])
	if err != nil {
		return nil
	}
	return goflags.Files(flags)
}
