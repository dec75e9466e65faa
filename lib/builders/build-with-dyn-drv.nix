# buildWithDynDrv: builds by dynamic derivations (see dyn-drv.nix), or by a plan in a file. Evaluation builds nothing.
{
  libFor,
  arguments,
  dynDrv,
  byPlan,
  package,
  nixLacks,
}:
given:
if given ? pkgs then
  (libFor given.pkgs).buildWithDynDrv (removeAttrs given [ "pkgs" ])
else if given.plan or null == null && nixLacks.dynDrv != null then
  throw "dgd.buildWithDynDrv: ${nixLacks.dynDrv}"
else
  let
    args = arguments "buildWithDynDrv" given;
  in
  package args ((if args.plan != null then byPlan else dynDrv) args)
