# buildWithDynDrv: the planner's output is a .drv file, which Nix builds in turn. Evaluation builds nothing.
{
  libFor,
  arguments,
  dynDrv,
  package,
  nixLacks,
}:
given:
if given ? pkgs then
  (libFor given.pkgs).buildWithDynDrv (removeAttrs given [ "pkgs" ])
else if nixLacks.dynDrv != null then
  throw "dgd.buildWithDynDrv: ${nixLacks.dynDrv}"
else
  let
    args = arguments "buildWithDynDrv" given;
  in
  package args (dynDrv args)
