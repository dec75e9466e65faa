package stage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"dgd/internal/action"
	"dgd/internal/gocmd"
	"dgd/internal/graph"
)

// directories returns the directories below modRoot that have Go files, as patterns of
// the go command, by the rules of nixpkgs' buildGoModule. Directories that a basic regular
// expression in excluded matches are left out. It is an error if there are none.
func directories(modRoot string, excluded []string) ([]string, error) {
	exclude, err := exclusion(excluded)
	if err != nil {
		return nil, err
	}
	var list []string
	err = filepath.WalkDir(modRoot, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !strings.HasSuffix(p, ".go") {
			return err
		}
		rel, err := filepath.Rel(modRoot, filepath.Dir(p))
		if err != nil {
			return err
		}
		dir := "."
		if rel != "." {
			dir = "./" + filepath.ToSlash(rel)
		}
		if !strings.Contains(dir, "/vendor/") && !exclude.MatchString(dir) {
			list = append(list, dir)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(list)
	if list = slices.Compact(list); len(list) == 0 {
		return nil, errors.New("src has no directory with Go files that excludedPackages leaves in: there is nothing to build")
	}
	return list, nil
}

// expand expands *, ? and [ in subPackages as a shell does, which reads them in nixpkgs. A
// pattern without a match stays as it is.
func expand(modRoot string, subPackages []string) ([]string, error) {
	var list []string
	for _, p := range subPackages {
		if !strings.ContainsAny(p, "*?[") {
			list = append(list, p)
			continue
		}
		pattern := path.Clean(strings.ReplaceAll(p, "[!", "[^"))
		names, err := fs.Glob(os.DirFS(modRoot), pattern)
		if err != nil {
			return nil, fmt.Errorf("subPackages: %q: %w", p, err)
		}
		names = slices.DeleteFunc(names, func(name string) bool { return hidden(pattern, name) })
		if len(names) == 0 {
			names = []string{p}
		}
		for _, name := range names {
			info, err := os.Stat(filepath.Join(modRoot, name))
			if err == nil && !info.IsDir() {
				return nil, fmt.Errorf("subPackages: %q matches the file %s: name directories", p, name)
			}
		}
		list = append(list, names...)
	}
	return list, nil
}

// hidden reports whether an element of the name begins with a dot and that of the pattern
// does not: a shell does not match such names.
func hidden(pattern, name string) bool {
	parts := strings.Split(pattern, "/")
	for i, part := range strings.Split(name, "/") {
		if strings.HasPrefix(part, ".") && !strings.HasPrefix(parts[i], ".") {
			return true
		}
	}
	return false
}

// exclusion returns the expression that the paths of excluded directories match. A
// pattern with spaces is several patterns, as in nixpkgs.
func exclusion(patterns []string) (*regexp.Regexp, error) {
	all := append([]string{"/_", "examples", "Godeps", "testdata"}, strings.Fields(strings.Join(patterns, " "))...)
	text, err := basicRegexp(`\(` + strings.Join(all, `\|`) + `\)`)
	if err != nil {
		return nil, fmt.Errorf("excludedPackages: %w", err)
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("excludedPackages: %q: %w", patterns, err)
	}
	return re, nil
}

// basicRegexp translates a basic regular expression of grep to the syntax of package
// regexp. Back references are errors.
func basicRegexp(basic string) (string, error) {
	var out strings.Builder
	begins := true // at the beginning of the expression, of a group or of an alternative
	for i := 0; i < len(basic); i++ {
		wasBegin := begins
		begins = false
		switch c := basic[i]; c {
		case '\\':
			if i++; i == len(basic) {
				return "", fmt.Errorf("%q ends in a backslash", basic)
			}
			switch c := basic[i]; {
			case c == '(' || c == '|':
				out.WriteByte(c)
				begins = true
			case strings.IndexByte(")+?{}", c) >= 0:
				out.WriteByte(c)
			case strings.IndexByte("wWsSbB", c) >= 0:
				out.WriteString(`\` + string(c))
			case c == '<' || c == '>':
				out.WriteString(`\b`)
			case c == '`' || c == '\'':
				out.WriteString(map[byte]string{'`': `\A`, '\'': `\z`}[c])
			case '1' <= c && c <= '9':
				return "", fmt.Errorf("%q refers back to a group, which dgd does not support", basic)
			default:
				out.WriteString(regexp.QuoteMeta(basic[i : i+1]))
			}
		case '[':
			end, class, err := bracket(basic[i:])
			if err != nil {
				return "", err
			}
			out.WriteString(class)
			i += end
		case '*':
			if wasBegin {
				out.WriteByte('\\')
			}
			out.WriteByte('*')
		case '^':
			if !wasBegin {
				out.WriteByte('\\')
			}
			out.WriteByte('^')
			begins = wasBegin
		case '$':
			rest := basic[i+1:]
			if rest != "" && !strings.HasPrefix(rest, `\)`) && !strings.HasPrefix(rest, `\|`) {
				out.WriteByte('\\')
			}
			out.WriteByte('$')
		case '.':
			out.WriteByte('.')
		default:
			out.WriteString(regexp.QuoteMeta(basic[i : i+1]))
		}
	}
	return out.String(), nil
}

// bracket translates the bracket expression at the beginning of s. End is the offset of
// its last byte.
func bracket(s string) (end int, class string, err error) {
	i := 1
	if i < len(s) && s[i] == '^' {
		i++
	}
	out := s[:i]
	for first := i; i < len(s); i++ {
		switch {
		case s[i] == ']' && i > first:
			return i, out + "]", nil
		case strings.HasPrefix(s[i:], "[:"):
			n := strings.Index(s[i:], ":]")
			if n < 0 {
				return 0, "", fmt.Errorf("%q has no end", s)
			}
			out += s[i : i+n+2]
			i += n + 1
		case strings.HasPrefix(s[i:], "[.") || strings.HasPrefix(s[i:], "[="):
			return 0, "", fmt.Errorf("%q has a collating element, which dgd does not support", s)
		case strings.IndexByte(`[]\`, s[i]) >= 0:
			out += `\` + s[i:i+1]
		default:
			out += s[i : i+1]
		}
	}
	return 0, "", fmt.Errorf("%q has no end", s)
}

// install returns the script that installs the packages, and the commands by which nixpkgs
// installs them, one for each. Packages without a Go file for this platform and these tags
// are left out, as in nixpkgs.
func install(ctx context.Context, g *gocmd.Command, dir string, flags, packages []string) (text string, commands [][]string, err error) {
	args := slices.Concat([]string{"install", "-n"}, flags, []string{"--"})
	if len(packages) > 1 && slices.ContainsFunc(packages, func(p string) bool { return strings.HasSuffix(p, ".go") }) {
		// In one command they would be one package.
		return "", commandsOf(flags, packages), &unplanned{errors.New("subPackages names Go files, each of which is a program of its own")}
	}
	text, err = g.Script(ctx, dir, append(args, packages...))
	var failed *gocmd.Failure
	if errors.As(err, &failed) && noGoFiles.MatchString(failed.Text) {
		some, listErr := withGoFiles(ctx, g, dir, flags, packages)
		switch {
		case listErr != nil:
			return "", nil, listErr
		case len(some) == 0: // the module has only tests
			return "", nil, nil
		}
		packages = some
		text, err = g.Script(ctx, dir, append(args, some...))
	}
	return text, commandsOf(flags, packages), err
}

// commandsOf returns the arguments of the go commands that install the packages, one after
// the other.
func commandsOf(flags, packages []string) (commands [][]string) {
	for _, p := range packages {
		commands = append(commands, slices.Concat([]string{"install"}, graph.EscapeAll(flags), []string{"--", action.Escape(p)}))
	}
	return commands
}

// noGoFiles matches the go command's messages about a package without Go files.
var noGoFiles = regexp.MustCompile(`(no( buildable| non-test)?|build constraints exclude all) Go (source )?files`)

// withGoFiles returns the packages that have Go files, as have all packages that they
// depend on. It reports the others on standard error.
func withGoFiles(ctx context.Context, g *gocmd.Command, dir string, flags, packages []string) ([]string, error) {
	args := slices.Concat([]string{"list", "-e", "-json=Match,GoFiles,CgoFiles,Error,DepsErrors"}, flags, []string{"--"}, packages)
	out, err := g.Output(ctx, dir, args...)
	if err != nil {
		return nil, err
	}
	type packageError struct{ Err string }
	without := map[string]string{}
	list, err := gocmd.Decode[struct {
		Match, GoFiles, CgoFiles []string
		Error                    *packageError
		DepsErrors               []*packageError
	}]("go list", out)
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		if p.Error != nil {
			p.DepsErrors = append(p.DepsErrors, p.Error)
		}
		for _, pattern := range p.Match {
			for _, e := range p.DepsErrors {
				if noGoFiles.MatchString(e.Err) {
					without[pattern] = strings.ReplaceAll(e.Err, dir+"/", "")
				}
			}
			if p.Error == nil && len(p.GoFiles)+len(p.CgoFiles) == 0 && !strings.Contains(pattern, "...") {
				without[pattern] = "no non-test Go files"
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(packages), func(p string) bool {
		reason, ok := without[p]
		if ok {
			fmt.Fprintf(os.Stderr, "dgd-plan: %s is left out: %s\n", p, reason)
		}
		return ok
	}), nil
}

// checkNames returns an error if two programs have the same name: they would be the same
// file in bin.
func checkNames(g *graph.Graph, cfg *Config) error {
	names := map[string]string{}
	for _, n := range g.Nodes {
		if n.Kind != graph.Link {
			continue
		}
		if other, ok := names[n.Main]; ok {
			hint := "build them in two calls"
			if cfg.Package == nil {
				hint = "leave one of them out with excludedPackages, or name the programs in subPackages"
			}
			return fmt.Errorf("%s and %s are both programs of the name %s: %s", other, n.Name, n.Main, hint)
		}
		names[n.Main] = n.Name
	}
	return nil
}
