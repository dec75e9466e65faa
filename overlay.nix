# An overlay for nixpkgs: adds dgd, built with the package set that it is applied to, and its command line.
final: _: {
  dgd = import ./. { pkgs = final; };
  dgd-cli = final.dgd.dgd;
}
