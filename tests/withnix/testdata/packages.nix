# Packages built with the package set. Each output is the output of the package's program.
{
  pkgs ? import <nixpkgs> { },
}:

let
  # A derivation without a stdenv, with PATH alone.
  bare =
    name: path: script:
    derivation {
      inherit name;
      inherit (pkgs.stdenv.hostPlatform) system;
      builder = "${pkgs.bash}/bin/bash";
      args = [
        "-e"
        "-c"
        script
      ];
      PATH = builtins.concatStringsSep ":" (map (package: "${package}/bin") path);
    };

  flags = "-I${pkgs.zlib}/include -L${pkgs.zlib}/lib -I${pkgs.sqlite}/include -L${pkgs.sqlite}/lib";
in
rec {
  c = bare "c" [ pkgs.stdenv.cc ] ''
    gcc -g ${flags} -o hello ${./hello.c} -lsqlite3 -lz -lm
    ./hello >$out
  '';

  static = bare "static" [ pkgs.stdenv.cc ] ''
    gcc -static ${flags} -o hello ${./hello.c} -lsqlite3 -lz -lm
    ./hello >$out
  '';

  # Compiles and links in separate steps, with a response file.
  cxx = bare "cxx" [ pkgs.stdenv.cc ] ''
    echo "-O2 -c -o hello.o ${./hello.cc}" >arguments
    c++ @arguments
    echo "-o 'hello program' hello.o" >arguments
    c++ @arguments
    './hello program' >$out
  '';

  # The output is the program itself, so that its references can be checked.
  program = bare "program" [ pkgs.stdenv.cc pkgs.coreutils ] ''
    mkdir -p $out/bin
    gcc -g -I${pkgs.zlib}/include -L${pkgs.zlib}/lib -L${pkgs.sqlite}/lib -o $out/bin/hello -x c - -lz <<'EOF'
    #include <stdio.h>
    #include <zlib.h>
    int main() { puts(zlibVersion()); }
    EOF
    $out/bin/hello
  '';

  # A toolchain's module gets nixpkgs' layout, by bash and coreutils alone.
  layout = bare "layout" [ pkgs.coreutils ] ''
    mkdir -p module/{bin,pkg/tool/linux,src/.hidden}
    echo program | tee module/bin/{go,gofmt} >module/pkg/tool/linux/compile
    chmod -R a-wx,a+X module
    . ${../../../pkgs/go/layout.sh} module laid-out
    echo more >laid-out/share/go/src/.hidden/more
    for program in laid-out/bin/{go,gofmt} laid-out/share/go/pkg/tool/linux/compile; do
      [[ -x $program && $(<$program) == program ]]
    done
    [[ ! -x module/bin/go ]]
    echo laid out >$out
  '';

  # Go with cgo.
  go =
    bare "go"
      [
        pkgs.go
        pkgs.stdenv.cc
        pkgs.pkg-config
        pkgs.coreutils
      ]
      ''
        export HOME=$PWD GOTOOLCHAIN=local PKG_CONFIG_PATH=${pkgs.zlib}/lib/pkgconfig
        mkdir bin
        cd ${./go}
        go build -o $HOME/bin/ ./...
        for program in $HOME/bin/*; do
          echo "''${program##*/}: $($program)"
        done >$out
      '';

  # Makes and fetches a repository. The https helper of git reports that there is no network.
  git = bare "git" [ pkgs.gitMinimal pkgs.coreutils ] ''
    export HOME=$PWD
    git init --quiet --initial-branch=main one
    echo text >one/file
    git -C one add file
    git -C one -c user.name=a -c user.email=a commit --quiet --message=first
    git clone --quiet "file://$PWD/one" two
    ! git ls-remote https://localhost/none 2>refused
    [[ $(<refused) == *"onnect to localhost"* ]] || { echo "git says: $(<refused)"; exit 1; }
    { cat two/file; git -C two log --format=%s; } >$out
  '';

  versions = bare "versions" [ pkgs.coreutils ] ''
    for go in ${pkgs.go_1_25} ${pkgs.go_1_26}; do
      $go/bin/go version
      GOTOOLCHAIN=local $go/bin/go env GOROOT
      test -e $go/share/go/src/fmt/print.go
    done >$out
  '';

  # mkDerivation with its phases, hooks and inputs.
  package = pkgs.stdenv.mkDerivation (final: {
    pname = "hello";
    version = "1";
    src = ./package;
    nativeBuildInputs = [ pkgs.pkg-config ];
    buildInputs = [ pkgs.zlib ];
    makeFlags = [ "PREFIX=${placeholder "out"}" ];
    env.GREETING = "good day";
    postPatch = ''
      substituteInPlace hello.c --replace-fail @greeting@ "$GREETING"
    '';
    doInstallCheck = true;
    installCheckPhase = ''
      runHook preInstallCheck
      $out/bin/hello
      $out/bin/script
      runHook postInstallCheck
    '';
    passthru.tests.version = final.version;
    meta.mainProgram = "hello";
  });

  overridden = package.overrideAttrs (old: {
    version = "2";
    env.GREETING = "${old.env.GREETING} twice";
  });

  says = pkgs.stdenvNoCC.mkDerivation {
    name = "says";
    nativeBuildInputs = [ overridden ];
    buildCommand = ''
      ! type -P gcc
      { hello; script; echo ${overridden.name} ${overridden.tests.version}; } >$out
    '';
  };
}
