package withnix

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	comment   = regexp.MustCompile(`(?s)/\*.*?\*/|#[^\n]*`)
	attribute = regexp.MustCompile(`\bpkgs\.([A-Za-z_][\w'-]*|"[^"]*")`)
	inherited = regexp.MustCompile(`\binherit\s*\(\s*pkgs\s*\)([^;]*);`)
	opened    = regexp.MustCompile(`\bwith\s+pkgs\s*;`)
)

// usedNames returns the attributes of pkgs that a Nix file uses. If open is true, it may use any.
func usedNames(source string) (names []string, open bool) {
	source = comment.ReplaceAllString(source, "")
	for _, match := range attribute.FindAllStringSubmatch(source, -1) {
		names = append(names, strings.Trim(match[1], `"`))
	}
	for _, match := range inherited.FindAllStringSubmatch(source, -1) {
		names = append(names, strings.Fields(match[1])...)
	}
	return names, opened.MatchString(source)
}

func TestUsedNames(t *testing.T) {
	names, open := usedNames(`{ pkgs }: # pkgs.no
		let inherit (pkgs) a b; in pkgs.c.d + mypkgs.no + "${pkgs.pkg-config}" /* pkgs.no */ + pkgs."e"`)
	if want := []string{"c", "pkg-config", "e", "a", "b"}; !slices.Equal(names, want) || open {
		t.Errorf("got %q, %v", names, open)
	}
	if _, open := usedNames("with pkgs; a"); !open {
		t.Error("with pkgs was not seen")
	}
}

// The library uses only attributes of pkgs that are on the list.
func TestNixpkgsNames(t *testing.T) {
	dir := root(t)
	list := filepath.Join(dir, "lib/nixpkgs-names.nix")
	var paths []string
	if err := json.Unmarshal([]byte(here(t).succeed(t, "nix-instantiate", "--eval", "--json", list)), &paths); err != nil {
		t.Fatal(err)
	}
	allowed := map[string]bool{}
	for _, path := range paths {
		name, _, _ := strings.Cut(strings.TrimSuffix(path, "?"), ".")
		allowed[name] = true
	}
	var files []string
	for _, pattern := range []string{"*.nix", "lib/*.nix", "lib/*/*.nix"} {
		list, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: %q, %v", pattern, list, err)
		}
		files = append(files, list...)
	}
	for _, file := range files {
		names, open := usedNames(read(t, file))
		if open {
			t.Errorf("%s: `with pkgs` hides which names are used", file)
		}
		for _, name := range names {
			if !allowed[name] {
				t.Errorf("%s uses pkgs.%s, which is not in %s", file, name, list)
			}
		}
	}
}

// The embedded package set has exactly the names of the list, and each of them evaluates: to a package, or to the
// set of packages that run on the machine that builds. It also has a name that throws, as nixpkgs has for removed packages.
func TestPackageSet(t *testing.T) {
	here(t).succeed(t, "nix-instantiate", "--eval", "--strict", "--expr", `
		let
		  pkgs = import <nixpkgs> { };
		  paths = builtins.mapAttrs (_: package: package.outPath);
		in
		[
		  (paths (removeAttrs pkgs [ "buildPackages" "go_1_23" ]))
		  (paths (removeAttrs pkgs.buildPackages [ "buildPackages" ]))
		]`)
}
