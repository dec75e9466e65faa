# Trees of modules with the patches of moduleOverrides. Patches are applied in derivations of their own, after the fetch
# has compared the modules with go.sum.
{ pkgs, moduleOverrides }:
let
  inherit (import ../functions.nix) quote escapeModule;
  patched = builtins.filter (path: moduleOverrides.${path}.patches or [ ] != [ ]) (builtins.attrNames moduleOverrides);
  words = list: builtins.concatStringsSep " " (map quote list);

  derive =
    name: tree: script:
    pkgs.stdenvNoCC.mkDerivation {
      inherit name tree;
      buildCommand = ''
        cp -r --no-preserve=mode "$tree" "$out"
        applyPatches() { # MODULE DIRECTORY PATCH…
          local module=$1 dir=$2 p
          shift 2
          for p; do
            echo "patching $module with $p"
            if ! patch --forward --no-backup-if-mismatch -p1 -d "$dir" < "$p"; then
              echo "dgd: moduleOverrides: the patch ''${p##*/} does not fit $module" >&2
              exit 1
            fi
          done
        }
        ${script}
      '';
    };
  apply =
    path: dirs:
    "for dir in ${dirs}; do if [ -d \"$dir\" ]; then applyPatches ${quote path} \"$dir\" ${
      words (map (p: "${p}") moduleOverrides.${path}.patches)
    }; fi; done";
  all = dirs: builtins.concatStringsSep "\n" (map (path: apply path (dirs path)) patched);
in
{
  # Whether any module is patched.
  any = patched != [ ];

  # The tree of one module.
  module =
    { path, version }: name: tree:
    if !builtins.elem path patched then
      tree
    else
      derive name tree "applyPatches ${quote "${path} ${version}"} \"$out\" ${
        words (map (p: "${p}") moduleOverrides.${path}.patches)
      }";

  # A vendor directory. Its modules.txt has lines `# PATH VERSION [=> PATH VERSION]`; a replacement is in the directory of
  # the module that it replaces.
  vendor =
    tree:
    if patched == [ ] then
      tree
    else
      derive "patched-modules" tree ''
        placesOf() {
          awk -v path="$1" -v out="$out" '
            $1 == "#" && $0 ~ / => / { if ($(NF - 1) == path && $NF ~ /^v[0-9]/) print out "/" $2; next }
            $1 == "#" && $2 == path { print out "/" $2 }
          ' "$out/modules.txt" | sort -u
        }
        ${all (path: "$(placesOf ${quote path})")}
      '';

  # The modules of a download cache, unpacked by modules.Unpack of the planner: directories PATH@VERSION, named as in a
  # module cache.
  unpacked =
    tree:
    if patched == [ ] then
      tree
    else
      derive "patched-modules" tree (
        all (path: "\"$out\"/${quote (escapeModule path)}@*")
      );
}
