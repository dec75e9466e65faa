package modules

import (
	"bytes"
	"errors"
	"go/build"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Differs compares the packages of a module in a vendor directory with the
// directory dir that replaces the module, of which `go mod vendor` made the copy.
// It returns the path, relative to dir, of a file that is not the same in both, or
// "". Files that no build of the packages reads do not count: tests, files whose
// constraints exclude them from every build, and files beside Go code that does
// not embed them.
func (m *Module) Differs(vendor, dir string) (string, error) {
	copied := filepath.Join(vendor, filepath.FromSlash(m.Path))
	for _, pkg := range m.Packages {
		rel := filepath.FromSlash(strings.TrimPrefix(strings.TrimPrefix(pkg, m.Path), "/"))
		file, err := differingFile(filepath.Join(copied, rel), filepath.Join(dir, rel))
		if file != "" || err != nil {
			return path.Join(filepath.ToSlash(rel), file), err
		}
	}
	return "", nil
}

// differingFile returns a file, relative to both directories, in which the copy of
// a package differs from the package in dir, or "". It returns "." if dir does not
// exist.
func differingFile(copied, dir string) (string, error) {
	old, err := buildFiles(copied)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return ".", nil
	}
	files, err := buildFiles(dir)
	if err != nil {
		return "", err
	}
	for _, file := range slices.Sorted(slices.Values(slices.Concat(old, files))) {
		a, errOld := os.ReadFile(filepath.Join(copied, filepath.FromSlash(file)))
		b, errNew := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
		switch {
		case errors.Is(errOld, fs.ErrNotExist), errors.Is(errNew, fs.ErrNotExist):
			return file, nil
		case errOld != nil || errNew != nil:
			return "", errors.Join(errOld, errNew)
		case !bytes.Equal(a, b):
			return file, nil
		case !slices.Contains(old, file), !slices.Contains(files, file):
			// It is in both, but a build reads it in one only: a new go.mod above it
			// keeps it from being embedded.
			return file, nil
		}
	}
	return "", nil
}

// buildFiles returns the files of the package in dir that a build may read, for any
// platform and tags, relative to dir. C and assembly may include any file beside
// them: with these, all files count but documentation.
func buildFiles(dir string) ([]string, error) {
	ctx := build.Default
	ctx.UseAllFiles, ctx.CgoEnabled = true, true
	// Errors in files are reported when the package is compiled.
	p, _ := ctx.ImportDir(dir, build.IgnoreVendor)
	var files []string
	for _, name := range slices.Concat(p.GoFiles, p.CgoFiles) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if !neverBuilt(text) {
			files = append(files, name)
		}
	}
	native := slices.Concat(p.CgoFiles, p.CFiles, p.CXXFiles, p.MFiles, p.HFiles, p.FFiles, p.SFiles, p.SwigFiles, p.SwigCXXFiles)
	if len(native) > 0 {
		more, err := includable(dir)
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	embedded, err := embeddedFiles(dir, p.EmbedPatterns)
	return slices.Concat(files, p.SysoFiles, embedded), err
}

// includable returns the regular files of a directory that C or assembly may
// include: all but Go files, go.mod, go.sum and documentation.
func includable(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		name := e.Name()
		if !e.Type().IsRegular() || isDocumentation(name) || slices.Contains([]string{".go", ".mod", ".sum"}, filepath.Ext(name)) {
			continue
		}
		files = append(files, name)
	}
	return files, nil
}

// isDocumentation reports whether a file is documentation or a licence, by its name.
func isDocumentation(name string) bool {
	return filepath.Ext(name) == ".md" || slices.ContainsFunc([]string{
		"README", "CHANGELOG", "AUTHORS", "CONTRIBUTORS", "COPYLEFT", "COPYING", "COPYRIGHT", "LEGAL", "LICENSE", "NOTICE", "PATENTS",
	}, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// embeddedFiles returns the files below dir that //go:embed patterns match. It
// ignores malformed patterns, which are reported when the package is compiled.
func embeddedFiles(dir string, patterns []string) ([]string, error) {
	var files []string
	root := os.DirFS(dir)
	for _, pattern := range patterns {
		glob, all := strings.CutPrefix(pattern, "all:")
		matches, err := fs.Glob(root, glob)
		if err != nil {
			continue
		}
		for _, match := range matches {
			err := fs.WalkDir(root, match, func(name string, d fs.DirEntry, err error) error {
				hidden := name != match && !all && strings.IndexByte("._", d.Name()[0]) >= 0
				switch {
				case err != nil:
					return err
				case d.IsDir() && (hidden || holdsModule(root, name)):
					return fs.SkipDir
				case !hidden && d.Type().IsRegular():
					files = append(files, name)
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return files, nil
}

func holdsModule(root fs.FS, dir string) bool {
	_, err := fs.Stat(root, path.Join(dir, "go.mod"))
	return err == nil
}

// neverBuilt reports whether the build constraints of a Go file exclude it from
// every build, as `//go:build ignore` does. `go mod vendor` does not copy it then.
func neverBuilt(text []byte) bool {
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.PackageClauseOnly|parser.ParseComments)
	if file == nil || err != nil {
		return false
	}
	var lines []string
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if comment.Pos() < file.Package {
				lines = append(lines, comment.Text)
			}
		}
	}
	constraints := slices.DeleteFunc(slices.Clone(lines), func(s string) bool { return !constraint.IsGoBuild(s) })
	if len(constraints) == 0 {
		constraints = slices.DeleteFunc(lines, func(s string) bool { return !constraint.IsPlusBuild(s) })
	}
	return slices.ContainsFunc(constraints, func(s string) bool {
		x, err := constraint.Parse(s)
		return err == nil && !satisfiable(x, true)
	})
}

// satisfiable reports whether a constraint can have the value want. Each occurrence
// of a tag is free to be set or not, but for the tag ignore, which is never set.
// This is how `go mod vendor` reads constraints.
func satisfiable(x constraint.Expr, want bool) bool {
	switch x := x.(type) {
	case *constraint.NotExpr:
		return !satisfiable(x.X, !want)
	case *constraint.AndExpr:
		return satisfiable(x.X, want) && satisfiable(x.Y, want)
	case *constraint.OrExpr:
		return satisfiable(x.X, want) || satisfiable(x.Y, want)
	case *constraint.TagExpr:
		return x.Tag != "ignore" && want
	}
	return true
}
