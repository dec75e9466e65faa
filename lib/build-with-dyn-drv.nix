# buildWithDynDrv: the planner's output is a .drv file, which Nix builds in turn. Evaluation builds nothing.
{
  libFor,
  arguments,
  dynDrv,
  package,
}:
given:
if given ? pkgs then
  (libFor given.pkgs).buildWithDynDrv (removeAttrs given [ "pkgs" ])
else if !(builtins ? outputOf) then
  throw "dgd.buildWithDynDrv: this Nix (${builtins.nixVersion}) has no dynamic derivations: use buildWithIFD, or a Nix of at least 2.34 with the experimental features dynamic-derivations, ca-derivations and recursive-nix"
else
  let
    args = arguments "buildWithDynDrv" given;
  in
  package args (dynDrv args)
