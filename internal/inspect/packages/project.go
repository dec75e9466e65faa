// Package packages lists the packages of a Go project with their sizes, and finds
// the imports through which a program depends on a package.
package packages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"dgd/internal/gocmd"
)

// A Graph has the packages of a project, each after those that it imports.
type Graph struct {
	Packages []*Package `json:"packages"`
	Modules  []*Module  `json:"modules"` // sorted by path; the standard library has the path std
}

// A Package is a package of the graph.
type Package struct {
	Path    string   `json:"path"`
	Name    string   `json:"name"`
	Module  string   `json:"module"` // std for the standard library
	Root    bool     `json:"root"`   // matches a pattern
	Files   int      `json:"files"`  // number of compiled and embedded files
	Bytes   int64    `json:"bytes"`  // size of these files
	Imports []string `json:"imports"`
}

// A Module has the sums over those of its packages that are in the graph.
type Module struct {
	Path     string `json:"path"`
	Version  string `json:"version"` // empty for main modules and the standard library
	Main     bool   `json:"main"`
	Packages int    `json:"packages"`
	Files    int    `json:"files"`
	Bytes    int64  `json:"bytes"`
}

// Std is the path of the standard library in Modules.
const Std = "std"

// listed is a package in the output of `go list -json`.
type listed struct {
	Dir, ImportPath, Name string
	Standard, DepOnly     bool
	Module                *struct {
		Path, Version string
		Main          bool
		Replace       *struct{ Path, Version string }
	}
	GoFiles, CgoFiles, CFiles, CXXFiles, MFiles, HFiles, FFiles, SFiles, SwigFiles, SwigCXXFiles, SysoFiles, EmbedFiles []string

	Imports   []string
	ImportMap map[string]string
}

// files returns the files that are compiled or embedded.
func (l *listed) files() []string {
	return slices.Concat(l.GoFiles, l.CgoFiles, l.CFiles, l.CXXFiles, l.MFiles, l.HFiles, l.FFiles, l.SFiles, l.SwigFiles, l.SwigCXXFiles, l.SysoFiles, l.EmbedFiles)
}

const fields = "-json=Dir,ImportPath,Name,Standard,DepOnly,Module," +
	"GoFiles,CgoFiles,CFiles,CXXFiles,MFiles,HFiles,FFiles,SFiles,SwigFiles,SwigCXXFiles,SysoFiles,EmbedFiles,Imports,ImportMap"

// Load returns the packages in a directory that match the patterns, and all that they
// import. Without patterns, all packages of the module or workspace match. It runs
// the go command in PATH, with flags and variables from the environment.
func Load(ctx context.Context, dir string, patterns []string) (*Graph, error) {
	if len(patterns) == 0 {
		roots, err := goList(ctx, dir, "-m", "-f={{.Dir}}")
		if err != nil {
			return nil, err
		}
		for root := range strings.Lines(string(roots)) {
			patterns = append(patterns, strings.TrimSuffix(root, "\n")+"/...")
		}
	}
	out, err := goList(ctx, dir, append([]string{"-deps", fields, "--"}, patterns...)...)
	if err != nil {
		return nil, err
	}
	return read(out, size)
}

// goList runs `go list` in a directory and returns its output.
func goList(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("there is no go command in PATH to list the packages: install Go, or run this in a shell that has it")
	case errors.As(err, &exit):
		return nil, fmt.Errorf("go list in %s: %s", dir, bytes.TrimSpace(exit.Stderr))
	case err != nil:
		return nil, fmt.Errorf("go list in %s: %w", dir, err)
	}
	return out, nil
}

// size returns the size of a file in bytes.
func size(file string) (int64, error) {
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// read parses the output of `go list -json`.
func read(out []byte, size func(file string) (int64, error)) (*Graph, error) {
	g := &Graph{Packages: []*Package{}, Modules: []*Module{}}
	modules := map[string]*Module{}
	list, err := gocmd.Decode[listed]("go list", out)
	if err != nil {
		return nil, err
	}
	for _, l := range list {
		p := &Package{Path: l.ImportPath, Name: l.Name, Root: !l.DepOnly, Imports: []string{}}
		m := Module{Path: Std}
		switch {
		case l.Module != nil:
			m = Module{Path: l.Module.Path, Version: l.Module.Version, Main: l.Module.Main}
			if r := l.Module.Replace; r != nil {
				m.Version = strings.TrimSpace(m.Version + " => " + strings.TrimSpace(r.Path+" "+r.Version))
			}
		case !l.Standard: // such as files on the command line
			m.Path = ""
		}
		p.Module = m.Path
		for _, f := range l.files() {
			if !filepath.IsAbs(f) {
				f = filepath.Join(l.Dir, f)
			}
			n, err := size(f)
			if err != nil {
				return nil, err
			}
			p.Files++
			p.Bytes += n
		}
		for _, name := range l.Imports {
			if other := l.ImportMap[name]; other != "" {
				name = other
			}
			if name != "C" {
				p.Imports = append(p.Imports, name)
			}
		}
		g.Packages = append(g.Packages, p)
		if modules[m.Path] == nil {
			modules[m.Path] = &m
			g.Modules = append(g.Modules, &m)
		}
		sum := modules[m.Path]
		sum.Packages++
		sum.Files += p.Files
		sum.Bytes += p.Bytes
	}
	slices.SortFunc(g.Modules, func(a, b *Module) int { return strings.Compare(a.Path, b.Path) })
	return g, nil
}

// Why returns a shortest chain of imports from a root to a package, including both,
// or nil if there is none. If some roots are programs, the chain begins with one of
// these.
func (g *Graph) Why(name string) []string {
	byPath := map[string]*Package{}
	var roots []string
	programs := slices.ContainsFunc(g.Packages, func(p *Package) bool { return p.Root && p.Name == "main" })
	for _, p := range g.Packages {
		byPath[p.Path] = p
		if p.Root && (!programs || p.Name == "main") {
			roots = append(roots, p.Path)
		}
	}
	slices.Sort(roots)
	from := map[string]string{} // by package, the importer on a shortest chain
	seen := map[string]bool{}
	for _, r := range roots {
		seen[r] = true
	}
	for queue := roots; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if at == name {
			chain := []string{at}
			for from[at] != "" {
				at = from[at]
				chain = append(chain, at)
			}
			slices.Reverse(chain)
			return chain
		}
		for _, next := range byPath[at].Imports {
			if !seen[next] && byPath[next] != nil {
				seen[next] = true
				from[next] = at
				queue = append(queue, next)
			}
		}
	}
	return nil
}

// WriteDOT writes the graph in the language of Graphviz, with a cluster for each
// module. The standard library is one node.
func (g *Graph) WriteDOT(w io.Writer) error {
	var b strings.Builder
	b.WriteString("digraph packages {\n\trankdir=LR;\n\tnode [shape=box];\n")
	module := map[string]string{}
	for _, m := range g.Modules {
		title := m.Path
		if m.Version != "" {
			title += " " + m.Version
		}
		title += "\n" + Size(m.Bytes)
		if m.Path == Std {
			fmt.Fprintf(&b, "\t%q [label=%s];\n", Std, dotString(title))
		} else {
			fmt.Fprintf(&b, "\tsubgraph %q {\n\t\tlabel=%s;\n", "cluster "+m.Path, dotString(title))
		}
		for _, p := range g.Packages {
			if p.Module != m.Path {
				continue
			}
			module[p.Path] = m.Path
			if m.Path != Std {
				style := ""
				if p.Root {
					style = ", style=bold"
				}
				fmt.Fprintf(&b, "\t\t%q [label=%s%s];\n", p.Path, dotString(p.Path+"\n"+Size(p.Bytes)), style)
			}
		}
		if m.Path != Std {
			b.WriteString("\t}\n")
		}
	}
	for _, p := range g.Packages {
		if p.Module == Std {
			continue
		}
		std := false
		for _, to := range p.Imports {
			if to == "unsafe" || module[to] == Std {
				std = true
				continue
			}
			fmt.Fprintf(&b, "\t%q -> %q;\n", p.Path, to)
		}
		if std {
			fmt.Fprintf(&b, "\t%q -> %q;\n", p.Path, Std)
		}
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// dotString returns a text, which may have several lines, as a DOT string.
func dotString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// Size returns a number of bytes with a unit, such as 352.6 kB.
func Size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000*1000:
		return fmt.Sprintf("%.1f kB", float64(n)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1000/1000)
}
