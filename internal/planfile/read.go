package planfile

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Facts are the facts that a plan in a file records about its sources.
type Facts struct {
	Tests    bool              // they are those of the plan of tests
	Rest     string            // digest of go.mod and the like
	Digests  map[string]string // by directory of a package
	Native   []Native          // packages with assembly or C
	Matches  bool              // the plan depends on the directories that have Go files
	Unfit    []string          // messages about lines that do not go together
	Settings map[string]json.RawMessage
}

// A Native has the digest of files, beside the skeleton, on which a package with assembly
// or C depends.
type Native struct {
	Package string // its directory, for messages
	Dir     string // the directory in which it may read files
	Digest  string // bind.Digest of Dir
}

// Read returns the facts of the plan with the name target. Lines are those of the file,
// and name is the file's name, for messages.
func Read(name string, lines []string, target string) (*Facts, error) {
	return readFacts(name, lines, target, false)
}

// ReadTests is Read for the plan of tests.
func ReadTests(name string, lines []string, target string) (*Facts, error) {
	return readFacts(name, lines, target, true)
}

func readFacts(name string, lines []string, target string, tests bool) (*Facts, error) {
	digest, packageLine := "digest", "package"
	if tests {
		digest, packageLine = "testdigest", "testpackage"
	}
	lines = For(lines, target)
	f := &Facts{Tests: tests, Digests: map[string]string{}, Settings: map[string]json.RawMessage{}, Unfit: unfit(lines, tests)}
	for _, line := range lines {
		fields := strings.Split(line, " ")
		switch {
		case fields[0] == "set" && len(fields) > 2:
			value := strings.SplitN(line, " ", 3)[2]
			if fields[1] == digest {
				f.Rest = oneOf(f.Rest, value)
			}
			if fields[1] == "digest" || fields[1] == "testdigest" {
				continue
			}
			if !json.Valid([]byte(value)) {
				return nil, fmt.Errorf("%s: the setting %s is not JSON: run `dgd plan`", name, fields[1])
			}
			if f.Settings[fields[1]] != nil {
				return nil, fmt.Errorf("%s: the setting %s is there twice: run `dgd plan`", name, fields[1])
			}
			f.Settings[fields[1]] = json.RawMessage(value)
		case fields[0] == packageLine && len(fields) > 4, tests && fields[0] == "test" && len(fields) > 4:
			first := 5
			if fields[0] == "test" {
				first = 4
			}
			options := optionsOf(fields[first:])
			for _, key := range []string{"s", "v"} {
				if dir, ok := options[key]; ok {
					dir = unescape(dir)
					f.Digests[dir] = oneOf(f.Digests[dir], options["d"])
				}
			}
			if digest, ok := options["n"]; ok {
				of := unescape(cmp.Or(options["s"], options["v"], fields[1]))
				f.Native = append(f.Native, Native{Package: of, Dir: unescape(options["N"]), Digest: digest})
			}
		}
	}
	if tests {
		var t TestSettings
		if err := json.Unmarshal(f.Settings["tests"], &t); err != nil {
			return nil, fmt.Errorf("%s: the setting tests: %w: run `dgd plan --tests`", name, err)
		}
		f.Matches = Matches(t.Packages)
		return f, nil
	}
	var packages []string
	if err := json.Unmarshal(f.Settings["packages"], &packages); err != nil {
		return nil, fmt.Errorf("%s: the setting packages: %w: run `dgd plan`", name, err)
	}
	f.Matches = Matches(packages)
	return f, nil
}

// oneOf returns the digest that two lines have for one directory. If they differ, as after
// a merge, it is a text that is no digest, so that the plan is stale.
func oneOf(known, digest string) string {
	if known == "" || known == digest {
		return digest
	}
	return "two digests"
}

// TestSettings are the settings of a plan of tests.
type TestSettings struct {
	CheckFlags []string            `json:"checkFlags"`
	Data       map[string][]string `json:"data"`
	Modules    string              `json:"modules"` // a drvgen.ModulesForm
	Packages   []string            `json:"packages"`
}

// Matches reports whether the packages of a plan depend on the directories that have Go
// files: if there are patterns, or if packages is nil.
func Matches(packages []string) bool {
	return packages == nil || slices.ContainsFunc(packages, func(p string) bool {
		return strings.ContainsAny(p, "*?[") || strings.Contains(p, "...")
	})
}

var unescape = strings.NewReplacer("%25", "%", "%20", " ", "%2C", ",", "%0A", "\n", "%0D", "\r", "%09", "\t", "%3D", "=", "%3B", ";", "%3E", ">", "%21", "!", "%2D", "-").Replace

// Directories returns the directories of the plan's packages, sorted.
func (f *Facts) Directories() []string {
	return slices.Sorted(maps.Keys(f.Digests))
}

// Compare returns a line for each difference between the sources and the facts. Native has
// the digests for f.Native, in the same order.
func (f *Facts) Compare(digests map[string]string, rest string, native []string) []string {
	var stale []string
	if rest != f.Rest {
		what := "go.mod, go.sum or the like has changed"
		if f.Matches {
			what = "go.mod, go.sum or the like has changed, or which directories have Go files"
		}
		if f.Tests && f.Matches {
			what = "go.mod, go.sum or the like has changed, or which directories have tests"
		}
		stale = append(stale, what)
	}
	for _, dir := range f.Directories() {
		if digests[dir] != f.Digests[dir] {
			what := "its files, their imports, embedded files or constraints have changed"
			if f.Tests {
				what = "its files, their imports, embedded files or constraints have changed, or which tests there are"
			}
			stale = append(stale, dir+": "+what)
		}
	}
	for i, n := range f.Native {
		if native[i] != n.Digest {
			stale = append(stale, n.Package+": its files that are not Go, or what these include, have changed")
		}
	}
	stale = append(stale, f.Unfit...)
	return stale
}
