package graph

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"dgd/internal/action"
	"dgd/internal/buildscript"
)

// coverConfig returns the cover tool's configuration for a package with tokens, and
// records the files that it names.
func (b *builder) coverConfig(u *unit, text string) (string, error) {
	var cfg struct {
		OutConfig, PkgPath, PkgName, Granularity, ModulePath string
		Local                                                bool
		EmitMetaFile                                         string
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&cfg); err != nil {
		return "", fmt.Errorf("cover's configuration: %w", err)
	}
	for _, file := range []string{cfg.OutConfig, cfg.EmitMetaFile} {
		if file == "" {
			continue
		}
		if err := u.addCovered(file); err != nil {
			return "", err
		}
	}
	return b.text(u, text)
}

// coverFiles returns the list of the Go files that the cover tool writes with tokens,
// and records these files.
func (b *builder) coverFiles(u *unit, text string) (string, error) {
	for file := range strings.Lines(text) {
		if err := u.addCovered(strings.TrimSuffix(file, "\n")); err != nil {
			return "", err
		}
	}
	return b.text(u, text)
}

// addCovered records a file that the cover tool will write.
func (u *unit) addCovered(file string) error {
	name, ok := strings.CutPrefix(file, u.objdir+"/")
	if !ok {
		return fmt.Errorf("cover writes %s, which is not in the package's object directory", file)
	}
	u.covered = append(u.covered, name)
	return nil
}

// cover reads `cover`, which rewrites the Go files of a package to count executed
// statements.
func (b *builder) cover(a buildscript.Run) error {
	u, _, err := b.writer(a.Args, "-pkgcfg", Package)
	if err != nil {
		return err
	}
	words, err := b.words(u, a.Args)
	if err != nil {
		return err
	}
	files := words[1:]
	for len(files) > 1 && strings.HasPrefix(files[0], "-") {
		if !slices.Contains([]string{"-pkgcfg", "-mode", "-var", "-outfilelist"}, files[0]) {
			return fmt.Errorf("dgd does not know cover's flag %s", files[0])
		}
		files = files[2:]
	}
	for _, file := range files {
		b.addSource(u, file)
	}
	args, err := b.tokens(u, words)
	if err != nil {
		return err
	}
	dir, err := b.token(u, b.step.Dir)
	if err != nil {
		return err
	}
	for _, name := range u.covered {
		u.written[name] = true
	}
	u.add(action.Step{Run: &action.Run{Dir: dir, Env: b.toolEnv(a.Env), Args: args}})
	return nil
}
