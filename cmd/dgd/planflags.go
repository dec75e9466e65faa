package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dgd/internal/bind"
	"dgd/internal/lock/making"
	"dgd/internal/planfile"
	"dgd/internal/stage"
)

// ofTests returns the configuration of the tests to plan, or nil.
func (f *planFlags) ofTests(cfg *stage.FileConfig) (*stage.FileTests, error) {
	if !f.tests {
		if len(f.testPackages)+len(f.checkFlags)+len(f.testData) > 0 {
			return nil, misuse{errors.New("--test-package, --check-flag and --test-data need --tests")}
		}
		return nil, nil
	}
	t := &stage.FileTests{Packages: f.testPackages, CheckFlags: f.checkFlags, Data: map[string][]string{}}
	if len(t.Packages) == 0 {
		t.Packages = []string{"./..."}
		if cfg.Libraries {
			t.Packages = cfg.Package
		}
	}
	if t.CheckFlags == nil {
		t.CheckFlags = []string{}
	}
	for _, d := range f.testData {
		name, path, ok := strings.Cut(d, "=")
		if !ok {
			name, path = bind.AllTests, d
		}
		t.Data[name] = append(t.Data[name], path)
	}
	return t, nil
}

// memberOf returns the module of a workspace that contains the directory dir, as a
// path relative to the workspace: the builder's modRoot is that module. It returns ""
// if dir is in no module, or in the module in the workspace's own directory.
func memberOf(project *making.Project, dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil || project.GoWork == nil {
		return "", err
	}
	found := ""
	for _, m := range project.Members {
		rel, err := filepath.Rel(m, dir)
		if err == nil && filepath.IsLocal(rel) && len(m) > len(found) {
			found = m
		}
	}
	if found == "" || found == project.Dir {
		return "", nil
	}
	return filepath.Rel(project.Dir, found)
}

// placeOf returns the builder's src, and the module of a workspace as memberOf
// returns it, for a plan file in the directory dir with the setting modRoot, the path
// from src to the module. An empty src means dir.
func placeOf(dir, modRoot string) (src, member string) {
	elems := strings.Split(modRoot, "/")
	for n := len(elems); n > 0; n-- {
		src, ok := strings.CutSuffix(dir, string(filepath.Separator)+filepath.Join(elems[:n]...))
		if _, err := os.Stat(filepath.Join(src, filepath.FromSlash(modRoot), "go.mod")); ok && err == nil {
			return src, filepath.Join(elems[n:]...)
		}
	}
	return "", filepath.FromSlash(modRoot)
}

// settingFlags are the names of the flags that determine what is planned.
var settingFlags = []string{
	"builder", "src", "package", "exclude", "tags", "ldflags", "gcflags", "env", "for", "cgo", "content-addressed", "granularity",
	"tests", "test-package", "check-flag", "test-data",
}

// sets returns the settings to plan: those of the flags, completed with those of the
// old file for flags that are not given.
func (f *planFlags) sets(cmd *cobra.Command, name string, old []byte) ([]*planFlags, error) {
	given := cmd.Flags().Changed
	if old == nil || given("builder") && !f.add {
		return []*planFlags{f}, nil
	}
	kept, err := readFlags(name, old)
	if err != nil {
		return nil, fmt.Errorf("%w; with --builder, and flags that say its settings, `dgd plan` does not read the old file", err)
	}
	for _, k := range kept {
		k.fallback = f.fallback
	}
	switch {
	case f.add:
		return append(kept, f), nil
	case !slices.ContainsFunc(settingFlags, given):
		return kept, nil
	case len(kept) > 1:
		return nil, misuse{fmt.Errorf("%s has %d settings: add --add to keep them, or --builder to write it anew", name, len(kept))}
	}
	f.keep(kept[0], given)
	return []*planFlags{f}, nil
}

// readFlags returns the settings of a plan file, each with its targets.
func readFlags(name string, text []byte) ([]*planFlags, error) {
	lines, err := planfile.Lines(name, planfile.Settle(text))
	if err != nil {
		if _, asItIs := planfile.Lines(name, text); asItIs != nil {
			err = asItIs // has the line's number in the file
		}
		return nil, err
	}
	names := slices.Compact(slices.Sorted(slices.Values(planfile.Variants(lines))))
	if len(names) == 0 {
		return nil, fmt.Errorf("%s has no plan for any target", name)
	}
	var list []*planFlags
	index := map[string]*planFlags{} // by all settings but the target
	for _, v := range names {
		f, err := readVariant(name, lines, v)
		if err != nil {
			return nil, err
		}
		target := f.target
		f.target = ""
		key := fmt.Sprintf("%#v", *f)
		if other := index[key]; other != nil {
			other.target += "," + target
			continue
		}
		f.target = target
		index[key] = f
		list = append(list, f)
	}
	return list, nil
}

// readVariant returns the flags for one variant of a plan file.
func readVariant(name string, lines []string, variant string) (*planFlags, error) {
	facts, err := planfile.Read(name, lines, variant)
	if err != nil {
		return nil, err
	}
	var s struct {
		Cgo, ContentAddressed bool
		Env                   map[string]string
		Flags                 []string
		Granularity, ModRoot  string
		Libraries             bool
		Packages, Excluded    []string
		Tests                 *planfile.TestSettings
		Target                string
	}
	for key, field := range map[string]any{
		"cgo": &s.Cgo, "env": &s.Env, "flags": &s.Flags, "granularity": &s.Granularity, "libraries": &s.Libraries,
		"packages": &s.Packages, "excluded": &s.Excluded, "modRoot": &s.ModRoot, "tests": &s.Tests, "target": &s.Target,
		"contentAddressed": &s.ContentAddressed,
	} {
		if facts.Settings[key] == nil && (key == "tests" || key == "contentAddressed") {
			continue
		}
		if err := json.Unmarshal(facts.Settings[key], field); err != nil {
			return nil, fmt.Errorf("%s: the setting %s: %w", name, key, err)
		}
	}
	f := &planFlags{
		builder: "buildGoModule", packages: s.Packages, excluded: s.Excluded, target: s.Target, cgo: s.Cgo,
		granularity: s.Granularity, contentAddressed: s.ContentAddressed,
	}
	if !s.Libraries {
		f.builder = "buildWithIFD"
	}
	if s.ModRoot != "." {
		f.src, f.member = placeOf(filepath.Dir(name), s.ModRoot)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		f.env = append(f.env, name+"="+s.Env[name])
	}
	for _, flag := range s.Flags {
		if value, ok := strings.CutPrefix(flag, "-tags="); ok {
			f.tags = strings.Split(value, ",")
		}
		if value, ok := strings.CutPrefix(flag, "-ldflags="); ok {
			f.ldflags = value
		}
		if value, ok := strings.CutPrefix(flag, "-gcflags="); ok {
			f.gcflags = value
		}
	}
	if s.Tests != nil {
		f.readTests(s.Tests)
	}
	return f, nil
}

// readTests sets the flags for the tests of a plan file.
func (f *planFlags) readTests(t *planfile.TestSettings) {
	f.tests, f.testPackages, f.checkFlags = true, t.Packages, t.CheckFlags
	for _, name := range slices.Sorted(maps.Keys(t.Data)) {
		for _, path := range t.Data[name] {
			if name != bind.AllTests {
				path = name + "=" + path
			}
			f.testData = append(f.testData, path)
		}
	}
}

// keep sets the flags that are not given to those of k.
func (f *planFlags) keep(k *planFlags, given func(flag string) bool) {
	f.builder, f.member = k.builder, k.member
	for flag, lists := range map[string][2]*[]string{
		"package": {&f.packages, &k.packages}, "exclude": {&f.excluded, &k.excluded}, "env": {&f.env, &k.env}, "tags": {&f.tags, &k.tags},
		"check-flag": {&f.checkFlags, &k.checkFlags}, "test-data": {&f.testData, &k.testData},
	} {
		if !given(flag) {
			*lists[0] = *lists[1]
		}
	}
	for flag, texts := range map[string][2]*string{
		"src": {&f.src, &k.src}, "for": {&f.target, &k.target}, "granularity": {&f.granularity, &k.granularity},
		"ldflags": {&f.ldflags, &k.ldflags}, "gcflags": {&f.gcflags, &k.gcflags},
	} {
		if !given(flag) {
			*texts[0] = *texts[1]
		}
	}
	for flag, values := range map[string][2]*bool{
		"cgo": {&f.cgo, &k.cgo}, "content-addressed": {&f.contentAddressed, &k.contentAddressed}, "tests": {&f.tests, &k.tests},
	} {
		if !given(flag) {
			*values[0] = *values[1]
		}
	}
	// The default of --test-package depends on --package.
	if !given("test-package") && !given("package") {
		f.testPackages = k.testPackages
	}
	if !f.tests {
		f.testPackages, f.checkFlags, f.testData = nil, nil, nil
	}
}
