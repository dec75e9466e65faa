# Checks the arguments of the builders and fills in their defaults, so that a mistake is found before anything builds.
{ pkgs, platform }:
function:
let
  defaults = {
    name = null;
    vendorHash = null;
    env = { };
    subPackage = ".";
    subPackages = null;
    tags = [ ];
    ldflags = [ ];
    go = pkgs.go;
    buildInputs = [ ];
    nativeBuildInputs = [ ];
    contentAddressed = builtins ? outputOf;
    granularity = "module";
    innerNix = null;
    meta = { };
    passthru = { };
  };
  known = builtins.attrNames defaults ++ [
    "src"
    "pkgs"
  ];
  fail = message: throw "dgd.${function}: ${message}";
  list = builtins.concatStringsSep ", ";

  types = import ./types.nix;
  typeOf = {
    name = types.nullOrString;
    vendorHash = types.nullOrString;
    env = types.env;
    subPackage = types.string;
    subPackages = types.nullOrStrings;
    tags = types.strings;
    ldflags = types.strings;
    buildInputs = types.list;
    nativeBuildInputs = types.list;
    contentAddressed = types.bool;
    granularity = types.granularity;
    meta = types.attrs;
    passthru = types.attrs;
  };

  # Whether a source can be read now without building anything.
  isHere =
    src:
    builtins.all (c: !(c ? outputs || c ? allOutputs)) (builtins.attrValues (builtins.getContext src));

  # Whether a source needs modules and has none: then the hash is as good as empty, and Nix says the right one.
  lacksModules =
    src:
    isHere src
    && builtins.pathExists "${src}/go.mod"
    && !builtins.pathExists "${src}/vendor/modules.txt"
    && builtins.any (line: builtins.isString line && builtins.substring 0 7 line == "require") (
      builtins.split "\n" (builtins.readFile "${src}/go.mod")
    );
in
given:
let
  unknown = builtins.filter (name: !builtins.elem name known) (builtins.attrNames given);
  wrong = builtins.filter (name: given ? ${name} && !typeOf.${name}.check given.${name}) (
    builtins.attrNames typeOf
  );
  args = defaults // given;
  env = builtins.mapAttrs (_: toString) args.env;
  src = "${args.src}";
in
if unknown != [ ] then
  fail "unknown argument ${list (map (n: "`${n}`") unknown)}; the arguments are: ${list (builtins.sort builtins.lessThan known)}"
else if !given ? src then
  fail "the argument `src` is missing: a directory with a go.mod"
else if wrong != [ ] then
  fail "the argument `${builtins.head wrong}` must be ${typeOf.${builtins.head wrong}.words}"
else if given ? subPackage && given ? subPackages then
  fail "`subPackage` and `subPackages` are both given: `subPackages` is the list form, use one of them"
else if args.contentAddressed && !(builtins ? outputOf) then
  fail "`contentAddressed` needs a Nix with the experimental features ca-derivations and dynamic-derivations switched on"
else
  args
  // {
    inherit src;
    vendorHash = if args.vendorHash == null && lacksModules src then "" else args.vendorHash;
    subPackages = if args.subPackages != null then args.subPackages else [ args.subPackage ];
    cgo = platform.hasCgo env;
    env = env // {
      CGO_ENABLED = if platform.hasCgo env then "1" else "0";
    };
  }
