package stage

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dgd/internal/workspace"
)

// The arguments for modules must fit the vendor directory of the sources.
func TestPrepare(t *testing.T) {
	const needs = "module example.com/m\n\ngo 1.24\n\nrequire example.org/a v1.0.0\n"
	own := map[string]string{"go.mod": needs, "vendor/modules.txt": "# example.org/a v1.0.0\n## explicit\nexample.org/a\n", "vendor/example.org/a/a.go": "package a\n"}
	bare := map[string]string{"go.mod": needs, "vendor/x/x.go": "package x\n"}
	plain := map[string]string{"go.mod": needs}
	fetched := project(t, map[string]string{"modules.txt": "# example.org/a v1.0.0\n## explicit\nexample.org/a\n", "example.org/a/a.go": "package a\n"})
	vendor := func(c *Config) { c.Vendor = fetched }
	archives := func(c *Config) { c.Downloads = "/archives" }
	locked := func(c *Config) { c.Lock = &workspace.Locked{} }
	deleting := func(with func(*Config)) func(*Config) {
		return func(c *Config) { with(c); c.DeleteVendor = true }
	}
	for _, test := range []struct {
		name   string
		files  map[string]string
		change func(*Config)
		want   string // the error
		linked bool   // the fetched vendor directory is linked into the sources
	}{
		{"the sources' own", own, func(*Config) {}, "", false},
		{"fetched", plain, vendor, "", true},
		{"archives", plain, archives, "", false},
		{"a lock", plain, locked, "", false},
		{"none", plain, func(*Config) {}, "src needs other modules (go.mod has `require`), but vendorHash is missing: set vendorHash = \"\"; and Nix will report the correct hash", false},
		{"none needed", map[string]string{"go.mod": "module example.com/m\n"}, func(*Config) {}, "", false},
		{"both", own, vendor, "src has a vendor directory of its own: leave out vendorHash or set it to null, or set deleteVendor = true", false},
		{"both, archives", own, archives, "src has a vendor directory of its own: leave out vendorHash", false},
		{"both, a lock", own, locked, "src has a vendor directory of its own: leave out modules, or set deleteVendor = true", false},
		{"both, the own one deleted", own, deleting(vendor), "", true},
		{"a directory that is none", bare, vendor, "without modules.txt, which go does not build with: set deleteVendor = true, or run `go mod vendor`", false},
		{"a directory that is none, and a lock", bare, locked, "without modules.txt", false},
		{"a workspace's directory that is none", map[string]string{"go.work": "go 1.24\n\nuse .\n", "go.mod": needs, "vendor/x/x.go": "package x\n"}, vendor, "or run `go work vendor`", false},
		{"deleted, and nothing in its place", own, deleting(func(*Config) {}), "vendorHash is missing", false},
		{"an override of another module", own, func(c *Config) { c.Overrides = []workspace.Override{{Path: "example.org/none", Patched: true}} }, "", false},
		{"a patch of the sources' own", own, func(c *Config) { c.Overrides = []workspace.Override{{Path: "example.org/a", Patched: true}} }, "moduleOverrides concerns example.org/a, which is in the vendor directory of src (v1.0.0)", false},
		{"another version than the fetched one", plain, func(c *Config) {
			vendor(c)
			c.Overrides = []workspace.Override{{Path: "example.org/a", Version: "v1.1.0"}}
		}, "moduleOverrides gives example.org/a the version v1.1.0, and vendorHash is the hash of v1.0.0", false},
		{"a place outside", plain, func(c *Config) { c.ModRoot = "../x" }, "modRoot is ../x, which is not below src", false},
		{"no go.mod", map[string]string{"main.go": "package main\n"}, vendor, "go.mod", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := config(t, project(t, maps.Clone(test.files)))
			test.change(cfg)
			src := filepath.Join(t.TempDir(), "src")
			_, _, err := prepare(cfg, src)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Fatalf("the error is %v, want %q", err, test.want)
			}
			if target, _ := os.Readlink(filepath.Join(src, "vendor")); err == nil && (target == fetched) != test.linked {
				t.Errorf("the vendor directory leads to %q", target)
			}
		})
	}
	damaged := filepath.Join(t.TempDir(), "skeleton")
	if err := os.WriteFile(damaged, []byte("no archive"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, skeleton := range []string{damaged, damaged + ".none"} {
		if _, _, err := prepare(&Config{Skeleton: skeleton}, filepath.Join(t.TempDir(), "src")); err == nil {
			t.Errorf("%s is a skeleton", skeleton)
		}
	}
}
