package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"dgd/internal/inspect/packages"
	"dgd/internal/lock/making"
)

func newGraph() *cobra.Command {
	var asJSON, asDOT bool
	cmd := &cobra.Command{
		Use:   "graph [DIR] [PACKAGE…]",
		Short: "The packages of a project, with their sizes",
		Long: `Shows the packages that a project's build compiles: those that PACKAGE matches (default: all of the
module, or of the workspace) in the directory DIR (default: the current one), and all that they
import. The size of a package is that of the files which are compiled or embedded.

The go command of PATH says what is imported, by the flags and variables of its environment
(GOFLAGS=-tags=…, GOOS).`,
		Example: `  dgd graph
  dgd graph . ./cmd/server
  dgd graph --dot | dot -Tsvg > graph.svg
  dgd graph --json | jq '.modules | sort_by(-.bytes) | .[:5]'`,
		ValidArgsFunction: completeDir,
		RunE: func(cmd *cobra.Command, args []string) error {
			if asJSON && asDOT {
				return misuse{errors.New("--json and --dot are both given: use one of them")}
			}
			dir, patterns := projectArgs(args)
			g, err := packages.Load(cmd.Context(), dir, patterns)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			switch {
			case asJSON:
				return printJSON(out, g)
			case asDOT:
				return g.WriteDOT(out)
			}
			return printGraph(out, newPainter(out), g)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&asDOT, "dot", false, "print Graphviz's language")
	return cmd
}

// projectArgs splits the arguments [DIR] [PACKAGE…]. The first one is DIR if it
// is the directory of a module or a workspace, or in another module or workspace
// than the current directory.
func projectArgs(args []string) (dir string, patterns []string) {
	dir, patterns = ".", args
	if len(args) > 0 && isProject(args[0]) {
		dir, patterns = args[0], args[1:]
	}
	return dir, patterns
}

// isProject reports whether an argument is DIR, see projectArgs.
func isProject(name string) bool {
	if name == "." {
		return true
	}
	for _, file := range []string{"go.mod", "go.work"} {
		if _, err := os.Stat(filepath.Join(name, file)); err == nil {
			return true
		}
	}
	gowork := os.Getenv("GOWORK")
	project, err := making.Find(name, gowork)
	if err != nil {
		return false
	}
	here, err := making.Find(".", gowork)
	return err != nil || here.Dir != project.Dir
}

// printGraph writes the modules with their packages. The standard library is one
// line.
func printGraph(out io.Writer, p painter, g *packages.Graph) error {
	b := bufio.NewWriter(out)
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	all := packages.Module{}
	for _, m := range g.Modules {
		title := m.Path
		if m.Version != "" {
			title += " " + m.Version
		}
		row(w, m.Bytes, m.Files, "  "+p.bold(title)+" ("+count(m.Packages, "package")+")")
		all.Packages += m.Packages
		all.Files += m.Files
		all.Bytes += m.Bytes
		for _, pkg := range g.Packages {
			if pkg.Module == m.Path && m.Path != packages.Std {
				row(w, pkg.Bytes, pkg.Files, "      "+pkg.Path)
			}
		}
	}
	row(w, all.Bytes, all.Files, "  in all: "+count(all.Packages, "package")+" of "+count(len(g.Modules), "module"))
	if err := w.Flush(); err != nil {
		return err
	}
	return b.Flush()
}

// row writes a row of the table.
func row(w io.Writer, bytes int64, files int, what string) {
	fmt.Fprintf(w, "%s\t%s\t%s\n", packages.Size(bytes), count(files, "file"), what)
}

// count returns a number with its noun.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func newWhy() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "why PACKAGE [DIR]",
		Short: "The chain of imports that brings a package in",
		Long: `Shows the shortest chain of imports from a program of the project in DIR (default: the current
directory) to a package. Tests do not count. The exit status is 1 where nothing brings the package in.`,
		Example: `  dgd why golang.org/x/text/language
  dgd why net/http ../server`,
		Args:              misused(cobra.RangeArgs(1, 2)),
		ValidArgsFunction: completeWhy,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 2 {
				dir = args[1]
			}
			if strings.HasPrefix(args[0], ".") {
				return misuse{fmt.Errorf("%s is not an import path: give the import path of the package, without a leading dot", args[0])}
			}
			g, err := packages.Load(cmd.Context(), dir, nil)
			if err != nil {
				return err
			}
			chain := g.Why(args[0])
			out := cmd.OutOrStdout()
			if asJSON {
				if chain == nil {
					chain = []string{}
				}
				err = printJSON(out, struct {
					Package string   `json:"package"`
					Chain   []string `json:"chain"`
				}{args[0], chain})
			} else {
				err = printWhy(out, newPainter(out), args[0], chain)
			}
			if err == nil && len(chain) == 0 {
				err = errFinding
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// printWhy writes a chain of imports, each line indented below its importer.
func printWhy(out io.Writer, p painter, path string, chain []string) error {
	var b strings.Builder
	if chain == nil {
		fmt.Fprintf(&b, "No program of the project imports %s, directly or not.\n", p.bold(path))
	}
	for i, name := range chain {
		if i > 0 {
			fmt.Fprintf(&b, "%simports ", strings.Repeat("  ", i))
		}
		fmt.Fprintf(&b, "%s\n", p.bold(name))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// completeDir completes directories.
func completeDir(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// completeWhy completes a package of the project, and then a directory.
func completeWhy(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return completeDir(cmd, args, "")
	}
	g, err := packages.Load(cmd.Context(), ".", nil)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var list []string
	for _, p := range g.Packages {
		list = append(list, p.Path)
	}
	return list, cobra.ShellCompDirectiveNoFileComp
}
