package graph

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"dgd/internal/action"
	"dgd/internal/buildscript"
)

// words returns the words of the step with shortened paths made whole. It is an error
// if a word may be shortened or not.
func (b *builder) words(u *unit, words []string) ([]string, error) {
	out := make([]string, len(words))
	for i, w := range words {
		full := buildscript.Undot(b.step.Dir, w)
		if full != w && i > 0 && words[i-1] != "-I" && words[i-1] != "-L" && slices.Contains(u.flags, w) {
			// It is a relative path of a #cgo line, or a shortened one. (After -I
			// and -L, go makes relative paths absolute.)
			if slices.Contains(u.flags, full) {
				return nil, fmt.Errorf("%q may be a relative path of a #cgo line or the short form of %q: write one of them in another way", w, full)
			}
			full = w
		}
		out[i] = full
	}
	return out, nil
}

// token returns the word with tokens in place of paths. It is an error if the word is
// a file in the unit's object directory that no step has written.
func (b *builder) token(u *unit, word string) (string, error) {
	if ref, ok := b.byFile[word]; ok && b.order[ref.Node] != u {
		return u.readOutput(ref, word)
	}
	s, err := b.text(u, word)
	if err != nil {
		return "", err
	}
	return s, b.checkWritten(u, word)
}

// text returns any text, such as that of a configuration file, with tokens in place of
// paths.
func (b *builder) text(u *unit, text string) (string, error) {
	s := action.Escape(text)
	for _, r := range b.roots {
		s = replacePath(s, action.Escape(r.path), r.token)
	}
	s = replacePath(s, "$$WORK/"+path.Base(u.objdir), "${OBJ}")
	for {
		i := strings.Index(s, "$$WORK")
		if i < 0 {
			break
		}
		rest := "$WORK" + s[i+len("$$WORK"):]
		file := rest
		if end := strings.IndexAny(rest, " ;=\",'"); end >= 0 {
			file = rest[:end]
		}
		ref, ok := b.byFile[file]
		if !ok {
			return "", fmt.Errorf("reads %s, which no earlier command has made", file)
		}
		t, err := u.readOutput(ref, file)
		if err != nil {
			return "", err
		}
		s = s[:i] + t + s[i+1+len(file):]
	}
	return s, nil
}

// readOutput returns the token for an output of another node that a command reads. It is
// an error if a command but the linker reads an archive.
func (u *unit) readOutput(r Ref, file string) (string, error) {
	if r.Output == Archive && u.node.Kind != Link {
		return "", fmt.Errorf("reads %s, an archive, without being the linker", file)
	}
	return u.ref(r), nil
}

// tokens returns token of each word.
func (b *builder) tokens(u *unit, words []string) ([]string, error) {
	out := make([]string, len(words))
	for i, w := range words {
		t, err := b.token(u, w)
		if err != nil {
			return nil, err
		}
		out[i] = t
	}
	return out, nil
}

// checkWritten returns an error if the word is a file of the object directory that no step has
// written.
func (b *builder) checkWritten(u *unit, word string) error {
	if rel, ok := strings.CutPrefix(word, u.objdir+"/"); ok && rel != "" && !strings.ContainsAny(rel, ";=") {
		if !u.written[rel] {
			return fmt.Errorf("reads %s, which no earlier command has written", word)
		}
	}
	return nil
}

// addSource records a source file that the unit reads. The first one is in the package's
// directory.
func (b *builder) addSource(u *unit, file string) {
	if rel, ok := strings.CutPrefix(file, b.opt.Snapshot+"/"); ok && b.opt.Snapshot != "" {
		if !u.read[file] {
			u.read[file] = true
			u.node.Snapshot = append(u.node.Snapshot, rel)
		}
		return
	}
	if rel, ok := b.addFile(u, file); ok && !u.placed {
		u.placed = true
		u.node.Src.Dir = path.Dir(rel)
		// An overlay may take the file from elsewhere.
		if dir, ok := b.below(b.trimmedDir(u)); ok {
			u.node.Src.Dir = dir
		}
	}
}

// trimmedDir returns the package's directory by the -trimpath of its compile, or "".
func (b *builder) trimmedDir(u *unit) string {
	dir, _, _ := strings.Cut(b.trimmed[u.objdir], "=>")
	return dir
}

// below returns a path relative to SRC, and reports whether it is there.
func (b *builder) below(file string) (rel string, ok bool) {
	if rel, ok = strings.CutPrefix(file, b.opt.Vendor+"/"); ok {
		return "vendor/" + rel, true
	}
	if file == b.opt.Src {
		return ".", true
	}
	return strings.CutPrefix(file, b.opt.Src+"/")
}

// isSource reports whether a word of a compile is a source file. It may have any name,
// as an overlay may replace a Go file by any file.
func (b *builder) isSource(word string) bool {
	if strings.HasPrefix(word, "-") || strings.Contains(word, "=>") {
		return false
	}
	_, ok := b.below(word)
	return ok || strings.HasSuffix(word, ".go")
}

// isKnown reports whether a file is below one of the roots or in the work directory.
func (b *builder) isKnown(file string) bool {
	return strings.HasPrefix(file, "$WORK/") || slices.ContainsFunc(b.roots, func(r root) bool { return strings.HasPrefix(file, r.path+"/") })
}

// addFile records a source file that can be in any directory, and returns its path
// relative to SRC. It reports false if it is not a source file.
func (b *builder) addFile(u *unit, file string) (rel string, ok bool) {
	rel, vendored := strings.CutPrefix(file, b.opt.Vendor+"/")
	if vendored {
		rel = "vendor/" + rel
	} else if rel, ok = strings.CutPrefix(file, b.opt.Src+"/"); !ok {
		return "", false
	}
	if u.read[file] {
		return rel, true
	}
	u.read[file] = true
	if u.node.Src == nil {
		u.node.Src = &Sources{Vendored: vendored}
	}
	u.node.Src.Files = append(u.node.Src.Files, rel)
	return rel, true
}

// native marks the unit's sources as having assembly or C.
func (u *unit) native() {
	if u.node.Src != nil {
		u.node.Src.Native = true
	}
}

// replacePath replaces the absolute path old in s, but not where it is a part of a
// longer name: it must end the text, or be followed by a slash or a separator.
func replacePath(s, old, new string) string {
	if old == "" || !strings.Contains(s, old) {
		return s
	}
	var out strings.Builder
	for begin := 0; ; {
		i := strings.Index(s[begin:], old)
		if i < 0 {
			out.WriteString(s[begin:])
			return out.String()
		}
		i += begin
		end := i + len(old)
		out.WriteString(s[begin:i])
		if pathBegins(s[:i]) && (end == len(s) || strings.IndexByte("/=;:,\"' )", s[end]) >= 0) {
			out.WriteString(new)
		} else {
			out.WriteString(old)
		}
		begin = end
	}
}

// pathBegins reports whether an absolute path can begin after s. It cannot after a
// character in which a name may end, unless that belongs to a flag, as in -I/src.
func pathBegins(s string) bool {
	flag := strings.TrimRightFunc(s, isLetter)
	if flag != s {
		before, ok := strings.CutSuffix(flag, "-")
		return ok && (before == "" || strings.IndexByte("=;:,\"' (", before[len(before)-1]) >= 0)
	}
	if s == "" {
		return true
	}
	c := s[len(s)-1]
	return c < utf8.RuneSelf && !('0' <= c && c <= '9') && strings.IndexByte("/.-_~+@%}$", c) < 0
}

func isLetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }
