# A program with SWIG, which cannot be planned, compared with what `go build` makes of it.
{
  dgd,
  pkgs,
  useDynDrv,
}:
let
  # It wraps what stands between %{ and %} of an interface: one C function `seven`.
  swig = pkgs.stdenvNoCC.mkDerivation {
    name = "swig";
    command = ''
      #!/bin/sh
      if [ "$1" = -version ]; then
        echo "SWIG Version 4.2.0"
        exit
      fi
      while [ $# -gt 1 ]; do
        case $1 in
          -module) module=$2 ;;
          -o) wrapper=$2 ;;
          -outdir) dir=$2 ;;
        esac
        shift
      done
      sed '1,/^%{/d; /^%}/,$d' "$1" > "$wrapper"
      printf 'package main\n\n// int seven(void);\nimport "C"\n\nfunc Seven() int { return int(C.seven()) }\n' > "$dir/$module.go"
    '';
    passAsFile = [ "command" ];
    buildCommand = ''
      mkdir -p $out/bin
      cp "$commandPath" $out/bin/swig
      chmod +x $out/bin/swig
    '';
  };
  src = pkgs.stdenvNoCC.mkDerivation {
    name = "with-swig";
    buildCommand = ''
      mkdir $out
      cd $out
      printf 'module example.com/number\n\ngo 1.24\n' > go.mod
      printf 'package main\n\nfunc main() { println(Seven()) }\n' > main.go
      printf '%%module number\n%%{\nint seven(void) { return 7; }\n%%}\n' > number.swig
    '';
  };
  args = {
    inherit src;
    nativeBuildInputs = [ swig ];
  };
in
import ./identity.nix {
  inherit pkgs;
  name = "swig-identity";
  packages.number = (if useDynDrv then dgd.buildWithDynDrv else dgd.buildWithIFD) args;
  reference =
    import ./reference.nix
      {
        inherit pkgs;
        lib = dgd.internal;
      }
      {
        name = "swig-reference";
        programs.number = args;
      };
}
