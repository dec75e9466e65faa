package stage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dgd/internal/gocmd"
	"dgd/internal/lock"
	"dgd/internal/workspace"
)

// The version of an override is written where a go.mod or go.work names the
// module.
func TestSetVersion(t *testing.T) {
	const head = "module example.com/m\n\ngo 1.24\n\n"
	raised := workspace.LockedModule{Path: "example.org/a", Version: "v1.1.0", Locked: "v1.0.0"}
	for _, test := range []struct {
		name        string
		files, want map[string]string
	}{
		{
			"required",
			map[string]string{"go.mod": head + "require (\n\texample.org/a v1.0.0 // why\n\texample.org/b v1.0.0\n)\n"},
			map[string]string{"go.mod": head + "require (\n\texample.org/a v1.1.0 // why\n\texample.org/b v1.0.0\n)\n"},
		},
		{
			"required by another module",
			map[string]string{"go.mod": head + "require example.org/b v1.0.0\n"},
			map[string]string{"go.mod": head + "require (\n\texample.org/b v1.0.0\n\texample.org/a v1.1.0 // indirect\n)\n"},
		},
		{
			"a replacement, and not of another version",
			map[string]string{"go.mod": head + "require example.org/b v1.0.0\n\nreplace example.org/b v1.0.0 => example.org/a v1.0.0\n\nreplace example.org/c => example.org/a v0.9.0\n"},
			map[string]string{"go.mod": head + "require example.org/b v1.0.0\n\nreplace example.org/b v1.0.0 => example.org/a v1.1.0\n\nreplace example.org/c => example.org/a v0.9.0\n"},
		},
		{
			"a workspace: all that require it",
			map[string]string{
				"go.work":  "go 1.24\n\nuse ./x\n\nuse ./y\n",
				"x/go.mod": "module x\n\nrequire example.org/b v1.0.0\n", "y/go.mod": "module y\n\nrequire example.org/a v0.9.0\n",
			},
			map[string]string{"x/go.mod": "module x\n\nrequire example.org/b v1.0.0\n", "y/go.mod": "module y\n\nrequire example.org/a v1.1.0\n"},
		},
		{
			"a workspace that replaces",
			map[string]string{"go.work": "go 1.24\n\nuse ./x\n\nreplace example.org/b => example.org/a v1.0.0\n", "x/go.mod": "module x\n"},
			map[string]string{"go.work": "go 1.24\n\nuse ./x\n\nreplace example.org/b => example.org/a v1.1.0\n", "x/go.mod": "module x\n"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			src := project(t, test.files)
			p, err := workspace.Locate(src, ".", nil)
			if err != nil {
				t.Fatal(err)
			}
			members, _, err := p.Members()
			if err != nil {
				t.Fatal(err)
			}
			if err := p.SetVersion(raised, members); err != nil {
				t.Fatal(err)
			}
			for name, want := range test.want {
				got, err := os.ReadFile(filepath.Join(src, name))
				if err != nil || string(got) != want {
					t.Errorf("%s is (%v)\n%s\nwant\n%s", name, err, got, want)
				}
			}
		})
	}
}

// Modules that require too much of each other are errors only where an override
// has a part in it.
func TestCheckRequirements(t *testing.T) {
	dir := t.TempDir()
	at := func(name, mod string) string {
		tree := filepath.Join(dir, name)
		if err := os.MkdirAll(tree, 0o777); err != nil {
			t.Fatal(err)
		}
		if mod != "" {
			if err := os.WriteFile(filepath.Join(tree, "go.mod"), []byte("module example.org/x\n\nrequire "+mod+"\n"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		return tree
	}
	l := &lock.Lock{Modules: []lock.Module{{Path: "a", Version: "v1.0.0"}, {Path: "b", Version: "v1.0.0"}}}
	for _, test := range []struct {
		name, of, version, requires, want string
	}{
		{"fits", "a", "v1.1.0", "b v1.0.0", ""},
		{"not in the lock", "a", "v1.1.0", "z v1.9.0", ""},
		{"needs a newer one", "a", "v1.1.0", "b v1.0.1", "moduleOverrides gives a the version v1.1.0, which requires b v1.0.1, but the build has v1.0.0: override b, too"},
		{"is needed newer", "b", "v0.9.0", "b v1.0.0", "moduleOverrides gives b the version v0.9.0, but a v1.0.0 requires v1.0.0: choose that or a newer one"},
		{"not our affair", "b", "v1.0.0", "b v1.0.1", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := &workspace.Locked{Modules: []workspace.LockedModule{
				{Path: "a", Version: "v1.0.0", Locked: "v1.0.0", Origin: at("a-"+test.name, test.requires)},
				{Path: "b", Version: "v1.0.0", Locked: "v1.0.0", Origin: at("b-"+test.name, "")},
			}}
			for i := range cfg.Modules {
				if cfg.Modules[i].Path == test.of {
					cfg.Modules[i].Version = test.version
				}
			}
			got := ""
			if err := workspace.CheckRequirements(cfg, l); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// What go says of modules that are missing is explained for a lock, too.
func TestExplainLock(t *testing.T) {
	raised := []workspace.LockedModule{{Path: "a", Version: "v1.1.0", Locked: "v1.0.0"}}
	for _, test := range []struct {
		text    string
		modules []workspace.LockedModule
		want    string
	}{
		{"x: module lookup disabled by GOPROXY=off", nil, "dgd: dgd.lock lacks a module that the build needs: run `dgd lock`"},
		{"x: missing go.sum entry", nil, "run `go mod tidy`, then `dgd lock`"},
		{"x: no required module provides package y", nil, "run `go mod tidy`, then `dgd lock`"},
		{"x: no required module provides package y", raised, "dgd: moduleOverrides gives a the version v1.1.0, which may need modules that dgd.lock does not have"},
	} {
		got := explain(&gocmd.Failure{Text: test.text}, &Config{Lock: &workspace.Locked{Modules: test.modules}}).Error()
		if !strings.HasPrefix(got, test.text) || !strings.Contains(got, test.want) {
			t.Errorf("the message is %q, which lacks %q", got, test.want)
		}
	}
}
