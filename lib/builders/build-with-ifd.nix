# buildWithIFD: the planner's output is data that Nix imports. Stock Nix.
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
