package skeleton

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/parser"
	"go/token"
	"hash"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Digests are digests, in hexadecimal, of the sources that a plan depends on.
type Digests struct {
	Dirs map[string]string // by directory of a package, relative to the sources
	Rest string            // of all go.mod and go.sum files and the like
}

// Digest returns digests of the parts of src that a plan depends on: those that
// Write keeps, of the packages in dirs, which are relative to src. Only files that
// the go command may read count: Go files, C and the like, and those that a
// //go:embed line matches. Test files count only if they are embedded. All means that
// the packages are not named one by one, but matched by patterns; then Rest also depends
// on the directories that have Go files and on the constraints of these.
//
// Files in other directories are not read, unless a package of dirs has a file
// behind a symlink, which may be in any directory: then all files count.
func Digest(ctx context.Context, src string, dirs []string, all bool) (*Digests, error) {
	return digest(ctx, src, dirs, all, kindOf)
}

// DigestTests is Digest for a plan of tests: the parts of test files that WriteTests
// keeps count, too.
func DigestTests(ctx context.Context, src string, dirs []string, all bool) (*Digests, error) {
	return digest(ctx, src, dirs, all, testKindOf)
}

func digest(ctx context.Context, src string, dirs []string, all bool, kindOf func(string) kind) (*Digests, error) {
	entries, err := list(src, kindOf, nil)
	if err != nil {
		return nil, fmt.Errorf("reading the sources: %w", err)
	}
	d := newDigester(entries, dirs, kindOf)
	read := slices.DeleteFunc(slices.Clone(entries), func(e *entry) bool {
		dir := path.Dir(e.name)
		return !(len(d.linked) > 0 || d.asked[dir] || ofModule(e) || all && d.isSource(e))
	})
	if err := readAll(ctx, src, read); err != nil {
		return nil, fmt.Errorf("reading the sources: %w", err)
	}
	embeds := map[string][]embedPattern{}
	for _, e := range read {
		if dir := path.Dir(e.name); d.isSource(e) && d.asked[dir] {
			embeds[dir] = append(embeds[dir], embedPatterns(string(e.text))...)
		}
	}
	slices.SortFunc(entries, func(a, b *entry) int { return strings.Compare(a.name, b.name) })
	for _, e := range entries {
		d.entry(e, all)
		for dir := path.Dir(e.name); !e.mode.IsDir(); dir = path.Dir(dir) {
			rel := strings.TrimPrefix(e.name, dir+"/")
			if slices.ContainsFunc(embeds[dir], func(p embedPattern) bool { return p.matches(rel) }) {
				d.add(dir, e.name, e.mode.String()[:1])
			}
			if dir == "." {
				break
			}
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(d.hasGo)) {
		d.add(rest, dir)
	}
	digests := &Digests{Dirs: map[string]string{}}
	for _, dir := range dirs {
		digests.Dirs[dir] = d.end(dir)
	}
	digests.Rest = d.end(rest)
	return digests, nil
}

// rest is the key of Digests.Rest in digester.sums.
const rest = ""

type digester struct {
	kindOf func(string) kind
	asked  map[string]bool // the directories of Digests.Dirs
	linked []string        // those of them with files behind symlinks
	hasGo  map[string]bool // directories with Go files
	sums   map[string]hash.Hash
}

func newDigester(entries []*entry, dirs []string, kindOf func(string) kind) *digester {
	d := &digester{kindOf: kindOf, asked: map[string]bool{}, hasGo: map[string]bool{}, sums: map[string]hash.Hash{}}
	for _, dir := range dirs {
		d.asked[dir] = true
	}
	isDir, linked := map[string]bool{".": true}, map[string]bool{}
	for _, e := range entries {
		dir := path.Dir(e.name)
		switch {
		case e.mode.IsDir():
			isDir[e.name] = true
		case !e.mode.IsRegular() && d.asked[dir] && kindOf(path.Base(e.name)) != byName:
			linked[dir] = true
		}
	}
	for dir := range d.asked {
		if linked[dir] || !isDir[dir] {
			d.linked = append(d.linked, dir)
		}
	}
	return d
}

// ofModule reports whether a file describes modules: go.mod, go.sum, go.work and the
// like.
func ofModule(e *entry) bool {
	base := path.Base(e.name)
	return e.mode.IsRegular() && (path.Ext(base) == ".mod" || path.Ext(base) == ".sum" || base == "go.work" || base == "modules.txt")
}

// isSource reports whether e is a Go file that counts.
func (d *digester) isSource(e *entry) bool {
	return e.kind == testFile || e.kind == goFile && !d.isTest(e)
}

// isTest reports whether e is a test file and test files do not count.
func (d *digester) isTest(e *entry) bool {
	return strings.HasSuffix(e.name, "_test.go") && d.kindOf(e.name) != testFile
}

// entry adds an entry to the digests that depend on it other than by embedding it.
func (d *digester) entry(e *entry, all bool) {
	dir, base := path.Dir(e.name), path.Base(e.name)
	if !d.isTest(e) {
		for _, linked := range d.linked {
			d.add(linked, e.name, e.mode.String()[:1], string(e.text))
		}
	}
	switch {
	case d.isTest(e), e.mode.IsDir():
	case ofModule(e):
		d.add(rest, e.name, string(e.text))
	case d.asked[dir] && (!e.mode.IsRegular() || e.kind != byName || base == "default.pgo" || path.Ext(base) == ".syso"):
		d.add(dir, e.name, e.mode.String()[:1], string(e.text))
	case all && d.isSource(e) && !d.asked[dir]:
		d.add(rest, e.name, clause(e.text))
	}
	if all && d.isSource(e) {
		d.hasGo[dir] = true
	}
}

// clause returns the text of a Go file up to its package clause: constraints are in it.
func clause(text []byte) string {
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.PackageClauseOnly)
	if err != nil {
		return string(text)
	}
	return string(text[:file.Name.End()-file.FileStart])
}

func (d *digester) add(dir string, parts ...string) {
	if d.sums[dir] == nil {
		d.sums[dir] = sha256.New()
	}
	for _, p := range parts {
		fmt.Fprintf(d.sums[dir], "%d:%s", len(p), p)
	}
}

func (d *digester) end(dir string) string {
	d.add(dir)
	return hex.EncodeToString(d.sums[dir].Sum(nil)[:4])
}

// An embedPattern is a pattern of a //go:embed line.
type embedPattern struct {
	glob string // without the prefix "all:"
	all  bool   // it had that prefix: hidden files in matched directories count
}

// embedPatterns returns the patterns of a Go file. A malformed one, which the go
// command will report, matches everything.
func embedPatterns(text string) []embedPattern {
	var list []embedPattern
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, "//go:embed")
		if !ok {
			continue
		}
		for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
			word, after := rest, ""
			if i := strings.IndexFunc(rest, unicode.IsSpace); i >= 0 {
				word, after = rest[:i], rest[i:]
			}
			if rest[0] == '"' || rest[0] == '`' {
				quoted, err := strconv.QuotedPrefix(rest)
				if err != nil {
					return append(list, embedPattern{"*", true})
				}
				word, _ = strconv.Unquote(quoted)
				after = rest[len(quoted):]
			}
			glob, all := strings.CutPrefix(word, "all:")
			list = append(list, embedPattern{glob, all})
			rest = after
		}
	}
	return list
}

// matches reports whether the pattern matches a file or a directory above it, by the
// rules of the go command. The name is relative to the package's directory.
func (p embedPattern) matches(name string) bool {
	elems := strings.Split(name, "/")
	n := strings.Count(p.glob, "/") + 1
	if len(elems) < n {
		return false
	}
	if ok, err := path.Match(p.glob, strings.Join(elems[:n], "/")); err != nil || !ok {
		return err != nil
	}
	for _, elem := range elems {
		switch elem {
		case ".bzr", ".git", ".hg", ".svn":
			return false
		}
	}
	return p.all || !slices.ContainsFunc(elems[n:], func(elem string) bool { return elem[0] == '.' || elem[0] == '_' })
}
