# buildWithIFD: builds by import from derivation (see ifd.nix), or by a plan in a file. It needs no experimental feature.
{
  libFor,
  arguments,
  ifd,
  byPlan,
  package,
}:
given:
if given ? pkgs then
  (libFor given.pkgs).buildWithIFD (removeAttrs given [ "pkgs" ])
else
  let
    args = arguments "buildWithIFD" given;
  in
  package args ((if args.plan != null then byPlan else ifd) args)
