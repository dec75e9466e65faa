package withnix

import (
	"encoding/json"
	"os"
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

// usedNames finds the attributes of pkgs that a Nix file uses; open tells that it may use any.
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

// The library uses no name of nixpkgs that is not on the list.
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
	files, err := filepath.Glob(filepath.Join(dir, "lib/*.nix"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "default.nix")); err == nil {
		files = append(files, filepath.Join(dir, "default.nix"))
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

// The embedded package set has the names of the list and no others, and each of them evaluates: as a package, or as
// the set of packages that run on the builder. On top comes a name that throws, as nixpkgs has of what is gone.
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
