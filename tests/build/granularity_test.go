package build

import (
	"fmt"
	"strings"
	"testing"
)

// Whether packages share derivations or not, the program is the
// same: content-addressed, it is the same store path.
func TestGranularity(t *testing.T) {
	paths := map[string]string{}
	for _, granularity := range []string{"package", "module", "auto"} {
		for _, function := range []string{"buildWithIFD", "buildWithDynDrv"} {
			r := nixBuild(t, "-E", fmt.Sprintf(`
				let
				  dgd = import %[1]s { };
				  program = (import %[1]s/tests/programs.nix).gofumpt;
				in
				dgd.%[2]s {
				  src = dgd.fetchGoModule { inherit (program) module version hash; };
				  inherit (program) vendorHash env;
				  granularity = %[3]q;
				}`, repo(t), function, granularity))
			if r.err != nil {
				t.Fatalf("%s, %s: %v\n%s", granularity, function, r.err, r.log)
			}
			paths[granularity+" "+function] = r.path
		}
	}
	want := paths["package buildWithIFD"]
	for how, path := range paths {
		if path != want {
			t.Errorf("%s: %s, want %s", how, path, want)
		}
	}
}

// A granularity that there is not is an error that says which there are.
func TestNoGranularity(t *testing.T) {
	src := project(t, map[string]string{
		"go.mod":  "module example.com/m\n\ngo 1.24\n",
		"main.go": "package main\n\nfunc main() {}\n",
	})
	r := nixBuild(t, "-E", expression(t, "buildWithIFD", src, `granularity = "file";`))
	if want := "the argument `granularity` must be \"auto\", \"module\" or \"package\""; r.err == nil || !strings.Contains(r.log, want) {
		t.Errorf("the error is not %s: %v\n%s", want, r.err, r.log)
	}
}
