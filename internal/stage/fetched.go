package stage

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"dgd/internal/workspace"
)

// checkReplaced returns a *workspace.StaleError if a directory of src that replaces a
// module differs from its copy in the fetch. Root is the directory of go.mod or go.work,
// relative to src. With FetchHooks a difference may be intended, and is a warning.
func checkReplaced(cfg *BindConfig, root string) error {
	if cfg.Fetched == "" {
		return nil
	}
	replaced, _, err := workspace.ReplacedModules(cfg.Fetched)
	if err != nil {
		return err
	}
	for _, m := range replaced {
		rel := path.Join(root, filepath.ToSlash(m.Replace.Path))
		dir := filepath.Join(cfg.Src, filepath.FromSlash(rel))
		if !filepath.IsLocal(rel) {
			continue
		}
		file, err := m.Differs(cfg.Fetched, dir)
		if err != nil {
			return fmt.Errorf("comparing %s with the fetch: %w", rel, err)
		}
		if file == "" {
			continue
		}
		stale := &workspace.StaleError{Module: m.Path, Dir: rel, What: strings.TrimSuffix(path.Join(rel, file), "/.") + " is not the same in the fetch"}
		if !cfg.FetchHooks {
			return stale
		}
		fmt.Fprintf(os.Stderr, "dgd-plan: warning: hooks change the fetch or the sources; if the difference is not intended, %v\n", stale)
	}
	return nil
}
