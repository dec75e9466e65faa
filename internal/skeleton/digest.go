package skeleton

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"path"
	"slices"
	"strings"
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
// files and their relatives, and of all files where one embeds some. Tests do not
// count. With all, it counts which directories have Go files.
func Digest(ctx context.Context, src string, dirs []string, all bool) (*Digests, error) {
	entries, err := list(src, kindOf, nil)
	if err != nil {
		return nil, fmt.Errorf("reading the sources: %w", err)
	}
	if err := readAll(ctx, src, entries); err != nil {
		return nil, fmt.Errorf("reading the sources: %w", err)
	}
	asked, embeds, hasGo := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, d := range dirs {
		asked[d] = true
	}
	for _, e := range entries {
		if dir := path.Dir(e.name); e.kind == goFile && !strings.HasSuffix(e.name, "_test.go") {
			hasGo[dir] = true
			embeds[dir] = embeds[dir] || asked[dir] && strings.Contains(string(e.text), "//go:embed")
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
		default:
			for d := dir; ; d = path.Dir(d) {
				if embeds[d] {
					add(d, e.name, e.mode.String()[:1])
				}
				if asked[d] || d == "." {
					break
				}
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

func sortedKeys(set map[string]bool) []string {
	var keys []string
	for key := range set {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
