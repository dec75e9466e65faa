# The modules of a build, as they are fetched: a vendor directory, a download cache (proxyVendor), or each by itself (with a
# lock). What there is not is null.
{
  planner,
  vendor,
  lockedModules,
  patchModules,
}:
{
  args, # see planning.nix
  attrs,
  settle,
}:
let
  inherit (args) go;
  # The fetch that vendorHash is the hash of.
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
  # With proxyVendor, what was fetched are archives: the modules of them, unpacked.
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

  # With a lock, each module is fetched by itself.
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

  # The modules with their patches: of the download cache, and the vendor directory.
  unpacked = if unpacked == null then null else patchModules.unpacked unpacked;
  vendored =
    if unpacked != null || goModules == null then
      null
    else if args.vendored or null != null then
      settle args.vendored
    else
      patchModules.vendor goModules;
}
