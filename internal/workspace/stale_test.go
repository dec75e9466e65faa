package workspace

import (
	"errors"
	"strings"
	"testing"
)

// The go.mod of a directory that replaces a module must have the version of Go
// that the fetch has, and require no newer modules.
func TestCheckReplacedMods(t *testing.T) {
	const (
		main  = "module example.com/m\n\ngo 1.24\n\nrequire example.com/lib v0.0.0\n\nreplace example.com/lib => ./lib\n"
		lib   = "module example.com/lib\n\ngo 1.20\n\nrequire example.org/a v1.0.0\n"
		fetch = "# example.com/lib v0.0.0 => ./lib\n## explicit; go 1.20\nexample.com/lib\n# example.org/a v1.0.0\n## explicit; go 1.20\nexample.org/a\n"
		// As before go 1.17, without versions of Go.
		old = "# example.com/lib v0.0.0 => ./lib\n## explicit\nexample.com/lib\n# example.org/a v1.0.0\nexample.org/a\n"
	)
	for _, test := range []struct{ name, fetch, main, lib, want string }{
		{"the same", fetch, main, lib, ""},
		{"no go.mod", fetch, main, "", ""},
		{"another Go", fetch, main, strings.Replace(lib, "1.20", "1.21", 1), "has go 1.21, and the fetch go 1.20"},
		{"no Go", fetch, main, strings.Replace(lib, "go 1.20\n", "", 1), "has no go line, and the fetch go 1.20"},
		{"another Go in an old fetch", old, main, strings.Replace(lib, "1.20", "1.21", 1), ""},
		{"a newer module", fetch, main, strings.Replace(lib, "v1.0.0", "v1.1.0", 1), "requires example.org/a v1.1.0, and the fetch has v1.0.0"},
		{"a newer module that is excluded", fetch, main + "\nexclude example.org/a v1.1.0\n", strings.Replace(lib, "v1.0.0", "v1.1.0", 1), ""},
		{"an older module", fetch, main, strings.Replace(lib, "v1.0.0", "v0.9.0", 1), ""},
		{"a module that nothing needs", fetch, main, lib + "\nrequire example.org/b v1.0.0\n", ""},
		{"not replaced by a directory", strings.Replace(fetch, "=> ./lib", "=> example.com/fork v1.0.0", 1), main, strings.Replace(lib, "1.20", "1.21", 1), ""},
		{"no fetch", "", main, lib, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := map[string]string{"go.mod": test.main, "lib/lib.go": "package lib\n"}
			if test.lib != "" {
				files["lib/go.mod"] = test.lib
			}
			p, err := Locate(tree(t, files), "", nil)
			if err != nil {
				t.Fatal(err)
			}
			members, _, err := p.Members()
			if err != nil {
				t.Fatal(err)
			}
			vendor := t.TempDir()
			if test.fetch != "" {
				vendor = tree(t, map[string]string{"modules.txt": test.fetch})
			}
			err = p.CheckReplacedMods(vendor, members)
			var stale *StaleError
			switch {
			case test.want == "":
				if err != nil {
					t.Errorf("the error is %v", err)
				}
			case !errors.As(err, &stale) || stale.What != "its go.mod "+test.want:
				t.Errorf("the error is %v, want %s", err, test.want)
			case !strings.HasPrefix(err.Error(), "vendorHash is stale: example.com/lib is lib in src, and its go.mod") || !strings.Contains(err.Error(), "Set vendorHash = \"\"; and Nix will report the correct hash"):
				t.Errorf("the message is %s", err)
			}
		})
	}

	p, err := Locate(tree(t, map[string]string{"go.mod": main, "lib/go.mod": "module (((\n"}), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.CheckReplacedMods(tree(t, map[string]string{"modules.txt": fetch}), nil); err == nil || !strings.HasPrefix(err.Error(), "src: lib/go.mod:2: syntax error") {
		t.Errorf("the error is %v", err)
	}
	p, err = Locate(tree(t, map[string]string{"go.mod": main, "lib/go.mod/x": ""}), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, vendor := range map[string]map[string]string{"lib/go.mod": {"modules.txt": fetch}, "modules.txt": {"modules.txt/x": ""}} {
		if err := p.CheckReplacedMods(tree(t, vendor), nil); err == nil || !strings.HasSuffix(err.Error(), name+": is a directory") {
			t.Errorf("where %s is a directory, the error is %v", name, err)
		}
	}
}
