package build

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

// With a package set that has NixOS tests, vmtest is one of them. As <nixpkgs> may have
// none, this test uses its own runNixOSTest and checks the arguments.
func TestVMInNixOS(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	cmd := exec.Command("nix-instantiate", "--eval", "--strict", "--json", "--expr", fmt.Sprintf(`
		let
		  pkgs = import <nixpkgs> { } // {
		    path = %[1]s/lib;
		    testers.runNixOSTest = test: {
		      inherit (test) testScript;
		      machine = test.nodes.machine {
		        lib.mkForce = x: x;
		        pkgs.nixVersions.latest = "nix";
		      };
		    };
		  };
		  test = (import %[1]s { inherit pkgs; }).vmtest { names = [ "hello" "race" ]; };
		in
		{
		  script = test.testScript;
		  paths = map toString test.machine.virtualisation.additionalPaths;
		  network = test.machine.virtualisation.qemu.networkingOptions;
		  proxy = test.machine.systemd.services.nix-daemon.environment.GOPROXY;
		}`, repo(t)))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, err.(*exec.ExitError).Stderr)
	}
	var test struct {
		Script, Proxy  string
		Paths, Network []string
	}
	if err := json.Unmarshal(out, &test); err != nil {
		t.Fatal(err)
	}
	path := func(name string) string {
		for _, path := range test.Paths {
			if strings.HasSuffix(path, "-"+name) {
				return path
			}
		}
		t.Fatalf("the machine's store has no %s: %q", name, test.Paths)
		return ""
	}
	sources := path("dgd")
	command := fmt.Sprintf("NIX_PATH=nixpkgs=%s bash %s/tests/vmtest.sh %s hello race'", path("nixpkgs"), sources, sources)
	if !strings.Contains(test.Script, command) {
		t.Errorf("the script does not call %s:\n%s", command, test.Script)
	}
	if want := "file://" + path("module-proxy"); test.Proxy != want {
		t.Errorf("GOPROXY is %s, not %s", test.Proxy, want)
	}
	if len(test.Network) != 1 || test.Network[0] != "-nic none" {
		t.Errorf("network: %q", test.Network)
	}
}
