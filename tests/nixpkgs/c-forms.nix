# Forms whose programs have C, with settings of stdenv that concern C.
{ pkgs, of, ... }:
let
  zlib = of "zlib" {
    nativeBuildInputs = [ pkgs.pkg-config ];
    buildInputs = [ pkgs.zlib ];
  };
in
{
  cgo = zlib;

  cgoStructured = zlib // { __structuredAttrs = true; };

  cgoStripped = zlib // {
    ldflags = [
      "-s"
      "-w"
    ];
  };

  cgoLinkedByGo = of "user" { };

  cgoOff = of "user" {
    env.CGO_ENABLED = 0;
  };

  cxx = of "cxx" { };

  hardeningDisable = zlib // { hardeningDisable = [ "all" ]; };

  hardeningDisableFortify = zlib // {
    hardeningDisable = [
      "fortify"
      "stackprotector"
    ];
  };

  hardeningEnable = zlib // { hardeningEnable = [ "pie" ]; };

  # Hooks set the library and a macro, attributes the rest.
  cgoEnvironment = of "zlib-plain" {
    buildInputs = [ pkgs.zlib ];
    env = {
      CGO_CFLAGS = "-O1 -g";
      NIX_CFLAGS_COMPILE = "-fno-strict-aliasing";
    };
    preConfigure = "export NIX_LDFLAGS+=' -lz'";
    preBuild = ''
      NIX_CFLAGS_COMPILE="-DEXTRA=7 $NIX_CFLAGS_COMPILE"
    '';
  };

  # The argument is ignored.
  strictDepsOff =
    build:
    (build (
      zlib
      // {
        buildInputs = [ ];
        nativeBuildInputs = [
          pkgs.pkg-config
          pkgs.zlib
        ];
      }
    )).overrideAttrs
      { strictDeps = false; };
}
