# An overlay for nixpkgs: adds dgd, built with the package set that it is applied to.
final: _: {
  dgd = import ./. { pkgs = final; };
}
