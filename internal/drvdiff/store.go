package drvdiff

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"dgd/internal/drvfile"
)

// A Store answers what derivations are, and what became of them.
type Store interface {
	// Derivation returns the derivation of a .drv path, or an error that is
	// fs.ErrNotExist.
	Derivation(path string) (*drvfile.Derivation, error)
	// Outputs returns, by .drv path and output, the paths of outputs that are
	// known to be built. It is for outputs whose path follows from their
	// contents.
	Outputs(ctx context.Context, drvs []string) (map[string]map[string]string, error)
	// Derivers returns the .drv paths that made these paths, as far as known.
	Derivers(ctx context.Context, paths []string) (map[string]string, error)
	// OnDisk returns where a store path can be read.
	OnDisk(path string) string
}

// Nix is the store that the commands of Nix use.
type Nix struct {
	root string // of a store that is not at its own place
}

// OpenNix finds out which store the commands of Nix use.
func OpenNix(ctx context.Context) (*Nix, error) {
	out, err := run(ctx, "nix", "--extra-experimental-features", "nix-command", "config", "show", "store")
	if err != nil { // before Nix 2.20
		if out, err = run(ctx, "nix", "--extra-experimental-features", "nix-command", "show-config"); err != nil {
			return nil, err
		}
		_, out, _ = strings.Cut("\n"+out, "\nstore = ")
		out, _, _ = strings.Cut(out, "\n")
	}
	n := &Nix{}
	address, query, _ := strings.Cut(strings.TrimSpace(out), "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("the store's address: %w", err)
	}
	n.root = values.Get("root")
	// A file name is a root, too; Nix may show it as local://FILE.
	address = strings.TrimPrefix(address, "local://")
	if n.root == "" && strings.Contains(address, "/") && !strings.Contains(address, "://") {
		if n.root, err = filepath.Abs(address); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// run runs a command and returns what it prints.
func run(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	var exit *exec.ExitError
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("%s is not on PATH: Nix is needed to read its store", name)
	case errors.As(err, &exit):
		return "", fmt.Errorf("%s: %s", name, bytes.TrimSpace(exit.Stderr))
	case err != nil:
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return string(out), nil
}

func (n *Nix) OnDisk(path string) string { return filepath.Join(n.root, path) }

func (n *Nix) Derivation(path string) (*drvfile.Derivation, error) {
	text, err := os.ReadFile(n.OnDisk(path))
	if err != nil {
		return nil, err
	}
	d, err := drvfile.Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

// batch is how many paths one call of Nix gets.
const batch = 500

func (n *Nix) Outputs(ctx context.Context, drvs []string) (map[string]map[string]string, error) {
	found := map[string]map[string]string{}
	for len(drvs) > 0 {
		some := drvs[:min(batch, len(drvs))]
		drvs = drvs[len(some):]
		args := []string{"--extra-experimental-features", "nix-command ca-derivations", "build", "--dry-run", "--json", "--no-link", "--offline"}
		for _, drv := range some {
			args = append(args, drv+"^*")
		}
		out, err := run(ctx, "nix", args...)
		if err != nil {
			return nil, err
		}
		var list []struct {
			DrvPath string
			Outputs map[string]*string
		}
		if err := json.Unmarshal([]byte(out), &list); err != nil {
			return nil, fmt.Errorf("nix build --dry-run: %w", err)
		}
		for _, d := range list {
			outputs := map[string]string{}
			for name, path := range d.Outputs {
				if path != nil {
					outputs[name] = *path
				}
			}
			found[d.DrvPath] = outputs
		}
	}
	return found, nil
}

func (n *Nix) Derivers(ctx context.Context, paths []string) (map[string]string, error) {
	found := map[string]string{}
	for len(paths) > 0 {
		some := paths[:min(batch, len(paths))]
		paths = paths[len(some):]
		out, err := run(ctx, "nix-store", append([]string{"--query", "--deriver"}, some...)...)
		if err != nil {
			return nil, err
		}
		lines := strings.Fields(out)
		if len(lines) != len(some) {
			return nil, fmt.Errorf("nix-store --query --deriver: %d answers for %d paths", len(lines), len(some))
		}
		for i, deriver := range lines {
			if deriver == "unknown-deriver" {
				continue
			}
			if _, err := os.Lstat(n.OnDisk(deriver)); err == nil {
				found[some[i]] = deriver
			} else if !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
	}
	return found, nil
}

// StorePath returns the store path that a path is, is in, or leads to by symbolic
// links.
func (n *Nix) StorePath(name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	// A link names a place in the store as programs in a sandbox see it.
	for range 40 {
		if n.root != "" && inStore.MatchString(storePart(abs)) {
			break
		}
		real, err := filepath.EvalSymlinks(abs)
		if err == nil {
			abs = real
			break
		}
		target, linkErr := os.Readlink(abs)
		if linkErr != nil {
			return "", err
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(abs), target)
		}
		abs = target
	}
	path := storePart(strings.TrimPrefix(abs, n.root))
	if path == "" {
		return "", fmt.Errorf("%s is not in the Nix store: name a derivation, an output, or a link to one", name)
	}
	if _, err := os.Lstat(n.OnDisk(path)); err != nil {
		return "", err
	}
	return path, nil
}

// storePart is what of a path is directly in a store, or "".
func storePart(p string) string {
	for dir := p; dir != "/" && dir != "."; dir = filepath.Dir(dir) {
		if inStore.MatchString(dir) {
			return dir
		}
	}
	return ""
}

// Deriver returns the .drv path that an argument of people means: a derivation,
// an output of one, or a link to either.
func (n *Nix) Deriver(ctx context.Context, arg string) (string, error) {
	arg, _, _ = strings.Cut(arg, "!") // nix-instantiate may name an output there
	path, err := n.StorePath(arg)
	if err != nil {
		return "", err
	}
	if strings.HasSuffix(path, ".drv") {
		if info, err := os.Stat(n.OnDisk(path)); err == nil && !info.IsDir() {
			return path, nil
		}
	}
	found, err := n.Derivers(ctx, []string{path})
	if err != nil {
		return "", err
	}
	if found[path] == "" {
		return "", fmt.Errorf("the store does not know (any more) which derivation made %s: name the derivation, as nix-instantiate prints it", path)
	}
	return found[path], nil
}
