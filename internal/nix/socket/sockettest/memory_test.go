package sockettest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/nix/nar"
	"dgd/internal/nix/socket"
)

func TestMemory(t *testing.T) {
	const dep = "/nix/store/00000000000000000000000000000000-dep"
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("f"), 0o666); err != nil {
		t.Fatal(err)
	}
	var st socket.Store = NewMemory("/nix/store", dep)
	defer st.Close()
	m := st.(*Memory)
	ctx := t.Context()
	hashed, err := nar.HashAll(ctx, []nar.Tree{{Name: "t", Root: dir}})
	if err != nil {
		t.Fatal(err)
	}
	trees, err := st.AddTrees(ctx, hashed)
	if err != nil {
		t.Fatal(err)
	}
	drvs := []socket.Derivation{{Name: "d.drv", ATerm: []byte("d"), Refs: []string{trees[0], dep}}}
	paths, err := st.AddDerivations(ctx, drvs)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{dep, trees[0], paths[0]}
	valid, err := st.Valid(ctx, append(all, "other"))
	if err != nil || len(valid) != 4 || valid["other"] {
		t.Errorf("Valid: %v, %v", valid, err)
	}
	for _, path := range all {
		if !valid[path] {
			t.Errorf("%s is not valid", path)
		}
	}
	if !slices.Equal(m.Order, all[1:]) || string(m.Paths[paths[0]]) != "d" || !m.Used[trees[0]] {
		t.Errorf("the store holds %q, added %q", m.Paths, m.Order)
	}

	if err := st.Add(ctx, socket.Batch{Use: []string{"other"}}); err == nil {
		t.Error("of use, but not there: no error")
	}
	drvs[0].Refs = append(drvs[0].Refs, "other")
	if _, err := st.AddDerivations(ctx, drvs); err == nil || !strings.Contains(err.Error(), "'other' is not valid") {
		t.Errorf("missing reference: %v", err)
	}
	hashed[0].Root = "/no/where"
	if _, err := st.AddTrees(ctx, hashed); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if err := st.Add(ctx, socket.Batch{Trees: hashed}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if err := st.Add(ctx, socket.Batch{Derivations: drvs}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}
