# Whether the Nix that evaluates has the system feature builder-rpc-v0, with dynamic derivations switched on.
#
# Such a Nix does not put the paths of outputs into the environment of a derivation that requires the feature, so that
# `out` is an ordinary variable there. Any other Nix overwrites it with the output's path, which makes these two
# derivations equal. Nothing is built. They are fixed-output derivations, as these need no experimental feature.
let
  probe =
    attrs:
    (derivation (
      {
        name = "dgd-has-builder-rpc";
        system = "none";
        builder = "none";
        outputHashMode = "recursive";
        outputHashAlgo = "sha256";
        outputHash = "0000000000000000000000000000000000000000000000000000000000000000";
        requiredSystemFeatures = [ "builder-rpc-v0" ];
      }
      // attrs
    )).drvPath;
in
probe { } != probe { out = "a variable"; }
