package planfile

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A linked has the lines of a plan on which the line of a program depends. Keys are names
// of nodes in the file.
type linked struct {
	modules   map[string]string // import paths, by short name
	templates map[string]string // lines, by name
	packages  map[string]*linkedPackage
	parts     map[string]string   // names of templates of parts of packages
	roots     map[string][]string // of links
}

// A linkedPackage has the facts of a package's line on which a program depends.
type linkedPackage struct {
	std      bool
	template string
	imports  []string
	parts    []string
	c        bool   // it has C
	linkSrc  bool   // see graph.Node.LinkSrc
	group    string // the name of its group, or ""
	level    int    // its level in the group: see group.Levels
}

// readLinked reads the lines of one plan, without marks. It ignores lines that are too
// short.
func readLinked(lines []string) *linked {
	l := &linked{
		modules: map[string]string{}, templates: map[string]string{}, packages: map[string]*linkedPackage{},
		parts: map[string]string{}, roots: map[string][]string{},
	}
	for _, line := range lines {
		fields := strings.Split(line, " ")
		switch kind := strings.TrimPrefix(fields[0], "test"); {
		case len(fields) < 3:
		case kind == "template":
			l.templates[fields[1]] = line
		case kind == "module":
			l.modules[fields[1]] = unescape(fields[2])
		case kind == "node":
			l.parts[fields[1]] = fields[2]
		case kind == "std" && len(fields) > 3:
			l.packages[fields[1]] = &linkedPackage{std: true, imports: keys(fields[3])}
		case kind == "link" && len(fields) > 4:
			l.roots[fields[1]] = keys(fields[4])
		case kind == "package" && len(fields) > 4:
			p := &linkedPackage{template: fields[2], imports: keys(fields[4])}
			for i, key := range p.imports {
				p.imports[i] = full(key, fields[1])
			}
			options := optionsOf(fields[5:])
			p.c, p.linkSrc = options["c"] != "", options["L"] != ""
			for _, ref := range keys(options["r"]) {
				part, _, _ := strings.Cut(ref, ">")
				p.parts = append(p.parts, part)
			}
			if label, level, ok := strings.Cut(options["g"], "."); ok {
				p.group = label
				if !strings.HasPrefix(label, "+") { // unique within the module only
					alias, _, _ := strings.Cut(fields[1], ":")
					p.group = alias + ":" + label
				}
				p.level, _ = strconv.Atoi(level)
			}
			l.packages[fields[1]] = p
		}
	}
	return l
}

// keys returns the elements of a list, still escaped.
func keys(field string) []string {
	if field == "-" || field == "" {
		return nil
	}
	return strings.Split(field, ",")
}

// optionsOf returns the options at the end of a line, with values still escaped.
func optionsOf(fields []string) map[string]string {
	options := map[string]string{}
	for _, o := range fields {
		key, value, _ := strings.Cut(o, "=")
		options[key] = value
	}
	return options
}

// digest returns a digest of the facts that the line of a link and its template take from
// the lines of its packages: their modules, for the module information; whether there is C
// or C++, for the choice of the linker; and packages whose files the link needs. It finds
// merges that take the line of a package from one side and that of the program from the
// other.
func (l *linked) digest(link string) string {
	facts, names := map[string]bool{}, map[string]bool{}
	for key := range l.closure(l.roots[link]) {
		p := l.packages[key]
		if p.std {
			facts["C"] = facts["C"] || key == "runtime/cgo"
			continue
		}
		module, name := l.nameOf(key)
		facts["module "+module] = true
		facts["C"] = facts["C"] || p.c
		facts["C++"] = facts["C++"] || l.hasCxx(p)
		facts["files of "+key] = p.linkSrc
		facts["twice "+name] = names[name]
		names[name] = true
		// A test that uses the variant of a package must not use the package itself.
		facts["not for tests "+key] = strings.Contains(link, "!"+testMark) && l.packages[testMark+key] != nil
	}
	maps.DeleteFunc(facts, func(_ string, holds bool) bool { return !holds })
	sum := sha256.Sum256([]byte(strings.Join(slices.Sorted(maps.Keys(facts)), "\n")))
	return hex.EncodeToString(sum[:4])
}

// closure returns the packages with these keys and all packages that they depend on.
func (l *linked) closure(roots []string) map[string]bool {
	closed := map[string]bool{}
	for todo := slices.Clone(roots); len(todo) > 0; {
		key := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if p := l.packages[key]; p != nil && !closed[key] {
			closed[key] = true
			todo = append(todo, p.imports...)
		}
	}
	return closed
}

// nameOf returns the path of a package's module and the package's import path for the
// linker. If it has no module, both are its import path.
func (l *linked) nameOf(key string) (module, name string) {
	alias, rel, _ := strings.Cut(strings.TrimPrefix(key, testMark), ":")
	name, _, _ = strings.Cut(unescape(rel), " ")
	if alias == "" {
		return name, name
	}
	return l.modules[alias], strings.TrimSuffix(l.modules[alias]+"/"+name, "/")
}

// compilesCxx matches the compile of a C++ file in steps.
var compilesCxx = regexp.MustCompile(`"-c","[^"]*\.(?:cc|cpp|cxx)"\]`)

func (l *linked) hasCxx(p *linkedPackage) bool {
	return p.c && (compilesCxx.MatchString(l.templates[p.template]) ||
		slices.ContainsFunc(p.parts, func(part string) bool { return compilesCxx.MatchString(l.templates[l.parts[part]]) }))
}

// sealLinks adds the digest of their packages to the lines of links.
func (f *File) sealLinks() {
	l := readLinked(slices.Concat(f.parts()...))
	for i, line := range f.Nodes {
		if fields := strings.Split(line, " "); isLink(fields) {
			f.Nodes[i] += " k=" + l.digest(fields[1])
		}
	}
}

func isLink(fields []string) bool {
	return len(fields) > 4 && (fields[0] == "link" || fields[0] == "testlink")
}

// unfit returns a message for each line of a plan, or of its tests, that does not go
// together with other lines, as can happen by a merge: a program's line that was written
// for other packages, and a package whose group has an order that its imports forbid.
func unfit(lines []string, tests bool) []string {
	l := readLinked(lines)
	var faults []string
	for _, line := range lines {
		fields := strings.Split(line, " ")
		if isLink(fields) && (fields[0] == "testlink") == tests && optionsOf(fields[5:])["k"] != l.digest(fields[1]) {
			name := unescape(strings.TrimPrefix(strings.TrimPrefix(fields[1], "link!"), testMark))
			faults = append(faults, name+": its packages are of other modules, or have other C, than its line says, as after a merge")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(l.packages)) {
		p := l.packages[key]
		for _, i := range p.imports {
			if q := l.packages[i]; p.group != "" && q != nil && q.group == p.group && q.level >= p.level && strings.HasPrefix(key, testMark) == tests {
				faults = append(faults, unescape(key)+": it shares a derivation with "+unescape(i)+", which is not before it, as after a merge")
			}
		}
	}
	return faults
}
