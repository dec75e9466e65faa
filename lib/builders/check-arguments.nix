# Checks the arguments of buildWithIFD and buildWithDynDrv and fills in their defaults. A wrong argument is an error of
# evaluation, before anything is built.
{
  argumentTable,
  platform,
  nixLacks,
}:
function:
let
  table = argumentTable.builders;
  known = builtins.attrNames table;
  defaults = builtins.mapAttrs (_: entry: entry.default) (
    removeAttrs table (builtins.filter (name: !(table.${name} ? default)) known)
  );
  fail = message: throw "dgd.${function}: ${message}";
  warn = message: (import ../functions.nix).warn "dgd.${function}: ${message}";
  list = builtins.concatStringsSep ", ";

  isHere = import ../is-here.nix;
  mayLink = import ../may-link.nix;
  goFlags = import ../go-flags.nix;
  modFiles = import ../fetch/mod-files.nix;

  # Whether a source needs modules that it does not contain. Then a missing vendorHash counts as "", and Nix will report
  # the correct hash.
  lacksModules =
    src: modRoot: env: deleteVendor:
    isHere src
    # Evaluation does not read the go.mod that -modfile names: the planner reports missing modules then.
    && builtins.match ".*-modfile.*" (env.GOFLAGS or "") == null
    && modFiles.lacksModules {
      inherit
        src
        modRoot
        env
        deleteVendor
        ;
    };

  # The flags of the argument GOFLAGS without -mod, which dgd sets itself, as nixpkgs' buildGoModule does.
  withoutMod =
    flags:
    if builtins.any isMod flags then
      warn "`-mod=` in `GOFLAGS` has no effect: dgd builds with -mod=vendor where there are modules, or as `proxyVendor` says" (
        builtins.filter (f: !isMod f) flags
      )
    else
      flags;
  isMod = hasFlag "mod";
  hasFlag = name: flag: builtins.match "['\"]?--?${name}(=.*)?" flag != null;
in
given:
let
  unknown = builtins.filter (name: !builtins.elem name known) (builtins.attrNames given);
  wrong = builtins.filter (name: given ? ${name} && !table.${name}.type.check given.${name}) known;
  args = defaults // given;
  flags = withoutMod args.GOFLAGS;
  env = builtins.mapAttrs (_: toString) (
    platform.forHost args.env // (if flags == [ ] then { } else { GOFLAGS = builtins.concatStringsSep " " flags; })
  );
  # The words of these flags. Quotes stay in them.
  goflags = builtins.filter builtins.isString (builtins.split "[[:space:]]+" (env.GOFLAGS or ""));
  refused = goFlags.refused goflags;
  # Flags in GOFLAGS for which there is an argument that is set, too. The argument's flag is on the command line, which
  # wins over the variable.
  overridden = builtins.filter (name: args.${name} != [ ] && builtins.any (hasFlag name) goflags) [
    "tags"
    "gcflags"
  ];
  # Whether a value contains the placeholder of the result's path. Only the derivation of the result itself knows that
  # path.
  isOwn =
    value:
    if builtins.isAttrs value then
      builtins.any isOwn (builtins.attrValues value)
    else if builtins.isList value then
      builtins.any isOwn value
    else
      builtins.isString value && builtins.replaceStrings [ (builtins.placeholder "out") ] [ "" ] value != value;
  own = builtins.filter (name: isOwn args.${name}) [
    "ldflags"
    "gcflags"
    "tags"
    "GOFLAGS"
    "env"
    "checkFlags"
  ];
  src = "${args.src}";
  modRoot = import ../relative.nix args.modRoot;
in
if unknown != [ ] then
  fail "unknown argument ${list (map (n: "`${n}`") unknown)}; the arguments are: ${list (builtins.sort builtins.lessThan known)}"
else if !given ? src then
  fail "the argument `src` is missing: a directory with a go.mod"
else if wrong != [ ] then
  fail "the argument `${builtins.head wrong}` must be ${table.${builtins.head wrong}.type.words}"
else if args.modules != null && args.vendorHash != null then
  fail "`modules` and `vendorHash` are both given: a lock has a hash for each module, leave out `vendorHash`"
else if args.modules != null && given ? proxyVendor then
  fail "`modules` and `proxyVendor` are both given: with a lock the build is in module mode anyway, leave out `proxyVendor`"
else if given ? subPackage && given ? subPackages then
  fail "`subPackage` and `subPackages` are both given: `subPackages` is the list form, use one of them"
else if args.GOFLAGS != [ ] && args.env ? GOFLAGS then
  fail "`GOFLAGS` and `env.GOFLAGS` are both given: they are the same, use one of them"
else if args.allowGoReference && builtins.any (hasFlag "trimpath") goflags then
  fail "`allowGoReference` builds without -trimpath, and `GOFLAGS` has -trimpath: leave out one of them"
else if refused != [ ] then
  fail "`GOFLAGS` has -${(builtins.head refused).name}: ${(builtins.head refused).note}"
else if overridden != [ ] then
  fail "`GOFLAGS` has -${builtins.head overridden}, which would have no effect: use the argument `${builtins.head overridden}`"
else if own != [ ] then
  fail "`${builtins.head own}` has the placeholder of the output `out`, whose path is not known where programs are linked: use buildGoModule, which puts it in later"
else if args.contentAddressed && nixLacks.contentAddressed != null then
  fail "`contentAddressed` ${nixLacks.contentAddressed}"
else
  args
  // {
    inherit src modRoot fail;
    inner = import ../stages/inner.nix { inherit (args) go contentAddressed granularity allowGoReference; };
    mayLink = mayLink args.src;
    here = if builtins.isPath args.src then toString args.src else src;
    vendorHash =
      if args.vendorHash == null && args.modules == null && lacksModules src modRoot env args.deleteVendor then "" else args.vendorHash;
    subPackages = if args.subPackages != null then args.subPackages else [ args.subPackage ];
    cgo = platform.hasCgo env;
    env = env // {
      CGO_ENABLED = if platform.hasCgo env then "1" else "0";
    };
  }
