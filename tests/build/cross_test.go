package build

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// With a package set for another platform, programs are built for that platform with its
// C compiler, and none of its programs run during the build.
func TestCrossPackageSet(t *testing.T) {
	t.Parallel()
	for mode := range modes {
		t.Run(mode, func(t *testing.T) {
			dyn := "false"
			if mode == "dyn" {
				dyn = "true"
			}
			built := func(attr, name string) string {
				t.Helper()
				r := nixBuild(t, "-A", attr, "--arg", "useDynDrv", dyn)
				if r.err != nil {
					t.Fatalf("%s: %v\n%s", attr, r.err, tail(r.log))
				}
				return onDisk(filepath.Join(r.path, "bin", name))
			}
			read := func(file string) []byte {
				t.Helper()
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				return text
			}
			arm64, named := built("tests.cross.arm64", "cross"), built("examples.cross-arm64", "cross")
			if !bytes.Equal(read(arm64), read(named)) {
				t.Errorf("%s differs from %s", arm64, named)
			}
			for attr, want := range map[string]elf.Machine{"arm64": elf.EM_AARCH64, "riscv64": elf.EM_RISCV} {
				f, err := elf.NewFile(bytes.NewReader(read(built("tests.cross."+attr, "cross"))))
				if err != nil || f.Machine != want {
					t.Errorf("%s: %v, %+v", attr, err, f)
				}
			}
			static := built("tests.cross.static", "cgo")
			f, err := elf.NewFile(bytes.NewReader(read(static)))
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range f.Progs {
				if p.Type == elf.PT_INTERP {
					t.Error("the C compiler is not the package set's: the program is linked dynamically")
				}
			}
			out, err := exec.Command(static).Output()
			if want := "preamble: 70\n"; err != nil || !bytes.HasPrefix(out, []byte(want)) {
				t.Errorf("it prints %q (%v), want %q first", out, err, want)
			}
		})
	}
}
