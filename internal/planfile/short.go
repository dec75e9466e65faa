package planfile

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"dgd/internal/action"
	"dgd/internal/drvgen"
)

// within returns a key as in the line of the package of: with "." for the short name of the
// module if that is the same.
func within(key, of string) string {
	alias, _, _ := strings.Cut(of, ":")
	if rel, ok := strings.CutPrefix(key, alias+":"); ok && alias != "" {
		return ".:" + rel
	}
	return key
}

// full undoes within.
func full(key, of string) string {
	if rel, ok := strings.CutPrefix(key, ".:"); ok {
		alias, _, _ := strings.Cut(of, ":")
		return alias + ":" + rel
	}
	return key
}

// goNames returns names of files in the form of the plan: Go files without ".go", others
// with a dot at the end.
func goNames(files []string) []string {
	var names []string
	for _, f := range files {
		if name, ok := strings.CutSuffix(f, ".go"); ok && !strings.HasSuffix(name, ".") {
			names = append(names, name)
		} else {
			names = append(names, f+".")
		}
	}
	return names
}

// patterns returns an embed config as a list of patterns, each with its files. It reports
// false if that is not enough, as when a file is not in the directory dir.
func patterns(text, dir string) (field string, ok bool) {
	var cfg struct {
		Patterns map[string][]string
		Files    map[string]string
	}
	if json.Unmarshal([]byte(text), &cfg) != nil {
		return "", false
	}
	var fields []string
	files := map[string]string{}
	for _, p := range slices.Sorted(maps.Keys(cfg.Patterns)) {
		fields = append(fields, list(append([]string{p}, cfg.Patterns[p]...)))
		for _, f := range cfg.Patterns[p] {
			files[f] = dir + "/" + f
		}
	}
	// The form in which evaluation writes it.
	a, err1 := drvgen.Canonical(cfg.Patterns)
	b, err2 := drvgen.Canonical(files)
	same := err1 == nil && err2 == nil && text == `{"Patterns":`+string(a)+`,"Files":`+string(b)+"}"
	return strings.Join(fields, ";"), same && len(fields) > 0 && !strings.Contains(text, action.Escape("$"))
}
