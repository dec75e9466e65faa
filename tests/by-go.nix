# Programs with SWIG and with Fortran, which cannot be planned, compared with those of `go build`.
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
  # Its language is C: what matters is who calls it, and with which files.
  fortran = pkgs.stdenvNoCC.mkDerivation {
    name = "fortran";
    buildCommand = ''
      mkdir -p $out/bin
      printf '#!/bin/sh\nexec cc -x c "$@"\n' > $out/bin/fortran
      chmod +x $out/bin/fortran
    '';
  };
  src =
    name: files:
    pkgs.stdenvNoCC.mkDerivation {
      inherit name;
      buildCommand = ''
        mkdir $out
        cd $out
        printf 'module example.com/${name}\n\ngo 1.24\n' > go.mod
        ${files}
      '';
    };
  programs = {
    number = {
      src = src "number" ''
        printf 'package main\n\nfunc main() { println(Seven()) }\n' > main.go
        printf '%%module number\n%%{\nint seven(void) { return 7; }\n%%}\n' > number.swig
      '';
      nativeBuildInputs = [ swig ];
    };
    formula = {
      src = src "formula" ''
        printf 'package main\n\n// int eight_(void);\nimport "C"\n\nfunc main() { println(C.eight_()) }\n' > main.go
        printf 'int eight_(void) { return 8; }\n' > eight.f90
      '';
      nativeBuildInputs = [ fortran ];
      env.FC = "fortran";
    };
  };
in
import ./identity.nix {
  inherit pkgs;
  name = "by-go-identity";
  packages = builtins.mapAttrs (_: if useDynDrv then dgd.buildWithDynDrv else dgd.buildWithIFD) programs;
  reference =
    import ./reference.nix
      {
        inherit pkgs;
        lib = dgd.internal;
      }
      {
        name = "by-go-reference";
        inherit programs;
      };
}
