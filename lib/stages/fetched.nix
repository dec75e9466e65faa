# The fetched modules of a build: a vendor directory, a download cache (proxyVendor), or a derivation for each module (with
# a lock). Attributes of the other forms are null.
{
  planner,
  vendor,
  lockedModules,
  patchModules,
}:
{
  # The arguments of planning.nix.
  args,
  attrs,
  settle,
}:
let
  inherit (args) go;
  # The fixed-output derivation with the hash vendorHash.
  goModules =
    if args ? goModules then
      args.goModules
    else if args.vendorHash == null then
      null
    else
      vendor {
        inherit go;
        inherit (args)
          src
          env
          modRoot
          vendorHash
          proxyVendor
          deleteVendor
          ;
      };
  # The modules of a download cache, unpacked.
  unpacked =
    if goModules == null || !args.proxyVendor then
      null
    else
      planner {
        name = "unpacked-modules";
        command = "unpack";
        config.downloads = goModules;
        inherit attrs;
      };
in
{
  inherit goModules;

  # The modules of a lock: see locked-modules.nix.
  locked =
    if args ? locked then
      args.locked
    else if args.modules == null then
      null
    else
      lockedModules {
        inherit go;
        src = args.here or args.src;
        inherit (args)
          env
          modules
          modRoot
          fail
          ;
      };

  # With the patches of moduleOverrides: the unpacked modules of a download cache, or the vendor directory.
  unpacked = if unpacked == null then null else patchModules.unpacked unpacked;
  vendored =
    if unpacked != null || goModules == null then
      null
    else if args.vendored or null != null then
      settle args.vendored
    else
      patchModules.vendor goModules;
}
