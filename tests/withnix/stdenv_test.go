package withnix

import (
	"strings"
	"testing"
)

// mkDerivation refuses the arguments that nixpkgs' mkDerivation refuses, and has the same final attributes.
func TestMkDerivation(t *testing.T) {
	for _, test := range []struct{ expression, want string }{
		{`(mk { name = "x"; A = 1; env.A = 1; }).drvPath`, "The following attributes are overlapping:"},
		{`(mk { name = "x"; env.A = [ ]; }).drvPath`, "attribute is of type list"},
		{`(mk { name = "x"; hardeningDisable = [ "nonsense" ]; }).drvPath`, "unsupported hardening flags"},
		{`(mk { name = "x"; f = x: x; }).drvPath`, "cannot coerce a function"},
		{`builtins.concatStringsSep " " (mk (final: { name = "x"; passthru.has = builtins.attrNames final; })).has`, `"finalPackage name overrideAttrs passthru"`},
		{`(mk (final: { name = "x"; passthru.n = final.overrideAttrs (_: { name = "y"; }); })).n.name`, `"y"`},
		{`(mk { name = "x"; nativeCheckInputs = [ "/tool" ]; }).nativeBuildInputs`, "[ ]"},
		{`(mk { name = "x"; doCheck = true; nativeCheckInputs = [ "/tool" ]; }).nativeBuildInputs`, `[ "/tool" ]`},
		{`(mk { name = "x"; hardeningDisable = [ "all" ]; }).NIX_HARDENING_ENABLE`, `""`},
		{`builtins.hasContext (toString (mk { name = "x"; disallowedReferences = [ pkgs.zlib ]; }).disallowedReferences)`, "false"},
	} {
		r := run(t, here(t).command("nix-instantiate", "--eval", "--strict", "--expr",
			"let pkgs = import <nixpkgs> { }; mk = pkgs.stdenv.mkDerivation; in "+test.expression))
		if !strings.Contains(r.stdout+r.stderr, test.want) {
			t.Errorf("%s: %v, want %s", test.expression, r, test.want)
		}
	}
}

// The wrapper of the compiler is as strict as nixpkgs': it needs the variables of a
// build, ignores directories of the machine, and adds hardening flags.
func TestCompilerWrapper(t *testing.T) {
	here(t).succeed(t, "nix-build", "--no-out-link", "--expr", `
		(import <nixpkgs> { }).stdenv.mkDerivation {
		  name = "wrapper";
		  buildCommand = ''
		    fail() { echo "$1" >&2; exit 1; }
		    echo 'int main(void) { return 0; }' > x.c
		    gcc -I$PWD -c x.c || fail "a folder of the build is refused"
		    (unset NIX_BUILD_TOP; gcc -I/somewhere -c x.c 2> said) && fail "NIX_BUILD_TOP is not asked for"
		    grep -q 'NIX_BUILD_TOP: unbound variable' said || fail "$(cat said)"
		    gcc -v -I/somewhere -c x.c 2> said
		    ! grep -q /somewhere said || fail "an impure folder is passed on"
		    gcc -dM -E -O2 x.c > said
		    grep -q '_FORTIFY_SOURCE 2' said || fail "not fortified"
		    NIX_HARDENING_ENABLE= gcc -dM -E -O2 x.c > said
		    ! grep -q _FORTIFY_SOURCE said || fail "fortified all the same"
		    gcc x.c /etc/passwd -o x 2> said && fail "an impure file is linked"
		    grep -q 'impure path' said || fail "$(cat said)"
		    gcc x.c -o x
		    patchelf --print-rpath x | grep -q "$out/lib" || fail "the package's own folder is not in the rpath"
		    readelf -n x > said
		    ! grep -q 'Build ID' said || fail "the program has a build ID"
		    gcc x.c -Wl,--build-id=0x0123456789abcdef0123456789abcdef01234567 -o x
		    readelf -n x > said
		    grep -q 'Build ID: 0123456789abcdef' said || fail "the program has not the build ID that is asked for"
		    touch $out
		  '';
		}`)
}
