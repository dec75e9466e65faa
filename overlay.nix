# An overlay for nixpkgs. It adds `dgd`, which uses the package set that the overlay is applied to, and `dgd-cli`, the
# command line.
final: _: {
  dgd = import ./. { pkgs = final; };
  dgd-cli = final.dgd.dgd;
}
