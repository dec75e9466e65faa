package skeleton

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Digests says what a plan depends on of a source, directory by directory.
type Digests struct {
	// Dirs are of the directories that were asked for.
	Dirs map[string]string
	// Rest is of go.mod and go.sum files and the like, wherever they are.
	Rest string
}

// Digest makes digests of what the skeleton of src has of some directories of
// packages, relative to it. A name counts where the go command looks at it: of Go
// files and their relatives, and of what a //go:embed line matches. Tests do not
// count but as embedded files. With all, it counts which directories have Go files.
func Digest(ctx context.Context, src string, dirs []string, all bool) (*Digests, error) {
	entries, err := list(src, kindOf, nil)
	if err != nil {
		return nil, fmt.Errorf("reading the sources: %w", err)
	}
	if err := readAll(ctx, src, entries); err != nil {
		return nil, fmt.Errorf("reading the sources: %w", err)
	}
	asked, hasGo := map[string]bool{}, map[string]bool{}
	embeds := map[string][]embedPattern{}
	for _, d := range dirs {
		asked[d] = true
	}
	for _, e := range entries {
		if dir := path.Dir(e.name); e.kind == goFile && !strings.HasSuffix(e.name, "_test.go") {
			hasGo[dir] = true
			if asked[dir] {
				embeds[dir] = append(embeds[dir], embedPatterns(string(e.text))...)
			}
		}
	}
	sums := map[string]hash.Hash{}
	add := func(dir string, parts ...string) {
		if sums[dir] == nil {
			sums[dir] = sha256.New()
		}
		for _, p := range parts {
			fmt.Fprintf(sums[dir], "%d:%s", len(p), p)
		}
	}
	slices.SortFunc(entries, func(a, b *entry) int { return strings.Compare(a.name, b.name) })
	const rest = ""
	for _, e := range entries {
		dir, base := path.Dir(e.name), path.Base(e.name)
		isFile := e.mode.IsRegular()
		switch {
		case strings.HasSuffix(base, "_test.go"), e.mode.IsDir():
		case isFile && (path.Ext(base) == ".mod" || path.Ext(base) == ".sum" || base == "go.work" || base == "modules.txt"):
			add(rest, e.name, string(e.text))
		case asked[dir] && (!isFile || e.kind != byName || base == "default.pgo" || path.Ext(base) == ".syso"):
			add(dir, e.name, e.mode.String()[:1], string(e.text))
		}
		if e.mode.IsDir() {
			continue
		}
		for d := dir; ; d = path.Dir(d) {
			rel := strings.TrimPrefix(e.name, d+"/")
			if slices.ContainsFunc(embeds[d], func(p embedPattern) bool { return p.matches(rel) }) {
				add(d, e.name, e.mode.String()[:1])
			}
			if d == "." {
				break
			}
		}
	}
	if all {
		for _, dir := range sortedKeys(hasGo) {
			add(rest, dir)
		}
	}
	digests := &Digests{Dirs: map[string]string{}}
	end := func(dir string) string {
		add(dir)
		return hex.EncodeToString(sums[dir].Sum(nil)[:4])
	}
	for _, d := range dirs {
		digests.Dirs[d] = end(d)
	}
	digests.Rest = end(rest)
	return digests, nil
}

// An embedPattern is one of a //go:embed line, without the prefix "all:".
type embedPattern struct {
	glob string
	all  bool // hidden files below a directory that it matches, too
}

// embedPatterns are those of a Go file. A word that is not one, such as a wrongly
// quoted one, is the go command's to refuse: here it matches everything.
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

// matches reports whether the file of that name, relative to the package, is one
// that the pattern matches or one below a directory that it matches, by the rules
// of the go command.
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

func sortedKeys(set map[string]bool) []string {
	var keys []string
	for key := range set {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
