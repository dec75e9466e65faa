# The toolchain with a go command that prints a line which dgd does not know for each build.
{ pkgs }:
pkgs.stdenvNoCC.mkDerivation {
  name = "newer-go";
  command = ''
    #!/bin/sh
    export GOROOT=GOROOT_HERE
    ${pkgs.go}/bin/go "$@" || exit
    case " $* " in *" -n "*) echo 'optimize $WORK/b001/exe/a.out' >&2 ;; esac
  '';
  passAsFile = [ "command" ];
  buildCommand = ''
    goroot=$out/share/go
    mkdir -p $out/bin $goroot/bin
    for f in ${pkgs.go}/share/go/*; do
      [ "''${f##*/}" = bin ] || ln -s "$f" $goroot
    done
    sed "s|GOROOT_HERE|$goroot|" "$commandPath" > $goroot/bin/go
    chmod +x $goroot/bin/go
    ln -s ../share/go/bin/go $out/bin/go
  '';
}
