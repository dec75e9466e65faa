package build

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

// If modules have to be fetched, a missing vendorHash counts as "", so that Nix reports
// the correct hash.
func TestVendorHashNeeded(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	const module = "module example.com/m // a comment\n\ngo 1.24\n\n"
	for _, test := range []struct {
		name   string
		files  map[string]string
		args   string
		needed bool
	}{
		{"nothing", map[string]string{"go.mod": module}, "", false},
		{"a comment", map[string]string{"go.mod": module + "// require example.org/a v1.0.0\n"}, "", false},
		{"a line", map[string]string{"go.mod": module + "require example.org/a v1.0.0 // indirect\n"}, "", true},
		{"a block", map[string]string{"go.mod": module + "require (\n\t// two\n\texample.org/a v1.0.0\n\n\texample.org/b v1.0.0\n)\n"}, "", true},
		{"an empty block", map[string]string{"go.mod": module + "require (\n)\n"}, "", false},
		{"a vendor directory", map[string]string{"go.mod": module + "require example.org/a v1.0.0\n", "vendor/modules.txt": ""}, "", false},
		{"a vendor directory without a list", map[string]string{"go.mod": module + "require example.org/a v1.0.0\n", "vendor/example.org/a/a.go": ""}, "", false},
		{"replaced by directories", map[string]string{
			"go.mod": module + "require (\n\texample.org/a v1.0.0\n\t\"example.org/b\" v1.0.0\n)\n\nreplace (\n\texample.org/a => ./a\n\texample.org/b v1.0.0 => ../b\n)\n",
		}, "", false},
		{"one is not replaced", map[string]string{"go.mod": module + "require (\n\texample.org/a v1.0.0\n\texample.org/b v1.0.0\n)\n\nreplace example.org/a => ./a\n"}, "", true},
		{"another version is replaced", map[string]string{"go.mod": module + "require example.org/a v1.0.0\n\nreplace example.org/a v1.1.0 => ./a\n"}, "", true},
		{"replaced by a module", map[string]string{"go.mod": module + "require example.org/a v1.0.0\n\nreplace example.org/a => example.org/b v1.0.0\n"}, "", true},
		{"an empty block on one line", map[string]string{"go.mod": module + "require ()\nexclude( )\n"}, "", false},
		{"a block behind one on one line", map[string]string{"go.mod": module + "require ()\n\nrequire(\n\texample.org/a v1.0.0\n)\n"}, "", true},
		{"replaced by a directory with a space", map[string]string{"go.mod": module + "require example.org/a v1.0.0\n\nreplace example.org/a => \"./my dir\" // here\n"}, "", false},
		{"replaced by a directory in raw quotes", map[string]string{"go.mod": module + "require (\n\texample.org/a v1.0.0\n)\nreplace (\n\texample.org/a v1.0.0 => `./my  dir`\n)\n"}, "", false},
		{"quotes with what begins a comment", map[string]string{"go.mod": module + "require example.org/a v1.0.0\n\nreplace \"example.org/a\" => \"./my//dir\"\n"}, "", false},
		{"quotes with an escape", map[string]string{"go.mod": module + "require example.org/a v1.0.0\nreplace example.org/a => \"./my \\\"dir\\\"\" // \"\n"}, "", false},
		{"a quote in a comment", map[string]string{"go.mod": module + "// don't `quote \"this\nrequire example.org/a v1.0.0\n"}, "", true},
		{"a directory with a slash at its end", map[string]string{"go.mod": module + "require example.org/a v1.0.0\nreplace example.org/a => ./a/ // here\n"}, "", false},
		{"below", map[string]string{"go.mod": module, "a/b/go.mod": module + "require example.org/a v1.0.0\n"}, `modRoot = "./a//b/";`, true},
		{"only above", map[string]string{"go.mod": module + "require example.org/a v1.0.0\n", "a/go.mod": module}, `modRoot = "a";`, false},
		{"no go.mod", map[string]string{"x": ""}, "", false},
		{"a go.mod without a path", map[string]string{"go.mod": "module\nrequire\n"}, "", false},
		{"a workspace", map[string]string{
			"go.work": "go 1.24\n\nuse (\n\t./a\n\t./b\n)\n", "a/go.mod": "module example.com/a\n\nrequire example.com/b v1.0.0\n", "b/go.mod": "module example.com/b\n",
		}, "", false},
		{"a workspace that needs modules", map[string]string{
			"go.work": "go 1.24\n\nuse ./a\nuse ./b\n", "a/go.mod": "module example.com/a\n", "b/go.mod": "module example.com/b\n\nrequire example.org/c v1.0.0\n",
		}, `modRoot = "a";`, true},
		{"a workspace that replaces", map[string]string{
			"go.work": "go 1.24\n\nuse ./b\n\nreplace example.org/c => ./c\n", "b/go.mod": "module example.com/b\n\nrequire example.org/c v1.0.0\n",
		}, `modRoot = "b";`, false},
		{"a workspace with a vendor directory", map[string]string{
			"go.work": "go 1.24\n\nuse ./b\n", "b/go.mod": "module example.com/b\n\nrequire example.org/c v1.0.0\n", "vendor/modules.txt": "",
		}, `modRoot = "b";`, false},
		{"a workspace that is off", map[string]string{
			"go.work": "go 1.24\n\nuse ./b\n", "b/go.mod": "module example.com/b\n\nrequire example.org/c v1.0.0\n", "vendor/modules.txt": "",
		}, `modRoot = "b"; env.GOWORK = "off";`, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			expression := fmt.Sprintf("((import %s/lib { pkgs = import <nixpkgs> { }; }).internal.arguments \"test\" { src = %s; %s }).vendorHash", repo(t), project(t, test.files), test.args)
			out, err := exec.Command("nix-instantiate", "--eval", "--read-write-mode", "-E", expression).CombinedOutput()
			want := map[bool]string{true: `""`, false: "null"}[test.needed]
			if err != nil || strings.TrimSpace(string(out)) != want {
				t.Errorf("vendorHash is %s (%v), want %s", out, err, want)
			}
		})
	}
}
