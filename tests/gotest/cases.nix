# The cases of Go's own tests that gotest_test.go has written to `cases`: `built` has each of them built by dgd, and
# `reference` is a derivation that runs the go command for all of them.
{
  cases,
  useDynDrv ? false,
  go ? "go", # an attribute of the package set
}:
let
  pkgs = import <nixpkgs> { };
  dgd = import ../../lib { inherit pkgs; };
  toolchain = pkgs.${go};
  function = if useDynDrv then "buildWithDynDrv" else "buildWithIFD";

  build =
    name:
    let
      dir = cases + "/${name}";
      case = builtins.fromJSON (builtins.readFile (dir + "/case.json"));
      library = case.library || case.test;
      args = {
        src = dir + "/src";
        go = toolchain;
        inherit (case)
          modRoot
          env
          tags
          ldflags
          gcflags
          GOFLAGS
          ;
        subPackages = case.subPackages;
      };
      builder = if library then (dgd.internal.withMore { libraries = true; }).${function} else dgd.${function};
    in
    if case.test then
      (builder (
        args
        // {
          testPackages = case.subPackages;
          inherit (case) checkFlags;
        }
      )).tests.all
    else
      builder args;
in
{
  built = builtins.mapAttrs (name: _: build name) (builtins.readDir cases);

  # One derivation with one build cache. For each case its output has the exit status, the output and the programs; for
  # tests that fail also the output of `go build`, if that fails as well.
  reference = pkgs.stdenv.mkDerivation {
    name = "gotest-reference";
    inherit cases;
    nativeBuildInputs = [ toolchain ];
    dontFixup = true;
    # Without it, programs with C would contain the path of this derivation.
    NIX_NO_SELF_RPATH = "1";
    buildCommand = ''
      export HOME=$TMPDIR GOCACHE=$TMPDIR/cache GOPATH=$TMPDIR/gopath
      export GOENV=off GOMODCACHE=$TMPDIR/modules GOPROXY=off GOSUMDB=off GOTOOLCHAIN=local GO111MODULE=on
      for case in "$cases"/*; do
        name=''${case##*/}
        mkdir -p "$out/$name"
        cp -r "$case/src" work
        chmod -R u+w work
        status=0
        (
          export bin=$out/$name/bin build=$out/$name/build
          cd work
          timeout 1800 bash -e "$case/go.sh"
        ) > "$out/$name/log" 2>&1 || status=$?
        echo $status > "$out/$name/status"
        rm -rf work
      done
    '';
  };
}
