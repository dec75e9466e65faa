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
	var st socket.Client = NewMemory("/nix/store", dep)
	defer st.Close()
	m := st.(*Memory)
	ctx := t.Context()
	hashed, err := nar.HashAll(ctx, []nar.Tree{{Name: "t", Root: dir}})
	if err != nil {
		t.Fatal(err)
	}
	tree := hashed[0].StorePath("/nix/store")
	drvs := []socket.TextFile{{Name: "d.drv", Text: []byte("d"), Refs: []string{tree, dep}}}
	drv := drvs[0].Path("/nix/store")
	for _, b := range []socket.Batch{{Trees: hashed, Use: []string{tree}}, {Files: drvs, Use: []string{drv}}} {
		if err := st.Add(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	all := []string{dep, tree, drv}
	if len(m.Paths) != len(all) {
		t.Errorf("the valid paths are %q, want %q", m.Paths, all)
	}
	if !slices.Equal(m.Order, all[1:]) || string(m.Paths[drv]) != "d" || !m.Used[tree] {
		t.Errorf("the store holds %q, added %q", m.Paths, m.Order)
	}

	if err := st.Add(ctx, socket.Batch{Use: []string{"other"}}); err == nil {
		t.Error("of use, but not there: no error")
	}
	drvs[0].Refs = append(drvs[0].Refs, "other")
	if err := st.Add(ctx, socket.Batch{Files: drvs}); err == nil || !strings.Contains(err.Error(), "'other' is not valid") {
		t.Errorf("missing reference: %v", err)
	}
	hashed[0].Root = "/no/where"
	if err := st.Add(ctx, socket.Batch{Trees: hashed}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if err := st.Add(ctx, socket.Batch{Trees: hashed}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if err := st.Add(ctx, socket.Batch{Files: drvs}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}
