# Whether the Nix that evaluates has the system feature builder-rpc-v0, with dynamic derivations switched on.
#
# Such a Nix leaves the paths of outputs out of the environment of a derivation that requires the feature, so that `out`
# is a variable as any other there. Each other Nix writes the output's path over it: then these two derivations are the
# same. Nothing is built. The output is fixed, so that no experimental feature has to be switched on to ask.
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
