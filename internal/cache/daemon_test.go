package cache

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

// A real Nix builds a derivation that depends on another one. Both forms of it
// are named: the one that was evaluated, and the one that Nix has made of it.
func TestDaemon(t *testing.T) {
	testnix.Require(t)
	st := testnix.NewStore(t)
	for _, v := range st.Environ() {
		if name, value, _ := strings.Cut(v, "="); name == "NIX_CONFIG" || name == "XDG_CACHE_HOME" {
			t.Setenv(name, value)
		}
	}
	d, err := OpenDaemon(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()

	const expression = `
		let
		  make = name: text: derivation {
		    inherit name;
		    system = builtins.currentSystem;
		    builder = "/bin/sh";
		    args = [ "-c" "echo ${text} > $out" ];
		    __contentAddressed = true;
		    outputHashMode = "recursive";
		    outputHashAlgo = "sha256";
		  };
		in
		make "above" "${make "below" "text"} \"quoted\" $$name"`
	drv := st.Run(t, "nix-instantiate", "-E", expression)
	if _, err := Installables(t.Context(), d, []string{drv}); err == nil || !strings.Contains(err.Error(), "is not built in this store") {
		t.Errorf("before the build, the error is %v", err)
	}
	if _, err := d.Text(t.Context(), "/nix/store/00000000000000000000000000000000-none.drv"); err == nil || !strings.Contains(err.Error(), "is not in this store") {
		t.Errorf("of what is not there, the error is %v", err)
	}
	st.Run(t, "nix-build", "--no-out-link", "-E", expression)
	want, err := filepath.Glob(st.Path("/nix/store/*-above.drv"))
	if err != nil || len(want) != 2 {
		t.Fatalf("Nix has %q", want)
	}
	for i := range want {
		want[i] = strings.TrimPrefix(want[i], st.Root) + "^out"
	}
	got, err := Installables(t.Context(), d, []string{drv})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// A daemon that goes away in the middle is an error that says what was asked.
func TestDaemonGone(t *testing.T) {
	testnix.Require(t)
	st := testnix.NewStore(t)
	for _, v := range st.Environ() {
		if name, value, _ := strings.Cut(v, "="); name == "NIX_CONFIG" || name == "XDG_CACHE_HOME" {
			t.Setenv(name, value)
		}
	}
	d, err := OpenDaemon(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.nix.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	const path = "/nix/store/00000000000000000000000000000000-x.drv"
	if _, err := d.Has(t.Context(), path); err == nil || !strings.HasPrefix(err.Error(), "asking for "+path+": ") {
		t.Errorf("the error is %v", err)
	}
	if _, err := d.Text(t.Context(), path); err == nil || !strings.HasPrefix(err.Error(), "asking for "+path+": ") {
		t.Errorf("the error is %v", err)
	}
	if _, err := d.Outputs(t.Context(), path); err == nil || !strings.HasPrefix(err.Error(), "the outputs of "+path+": ") {
		t.Errorf("the error is %v", err)
	}
}

func TestNoTemporaryFiles(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	if _, err := OpenDaemon(t.Context(), io.Discard); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the error is %v", err)
	}
}

func TestNoDaemon(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := OpenDaemon(t.Context(), os.Stderr); err == nil || !strings.Contains(err.Error(), "asking Nix about the store") {
		t.Errorf("without Nix, the error is %v", err)
	}
}
