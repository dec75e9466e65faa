# Trees of modules with the patches of moduleOverrides. That is a derivation apart from the fetch, which has compared
# them with go.sum.
{ pkgs, moduleOverrides }:
let
  patched = builtins.filter (path: moduleOverrides.${path}.patches or [ ] != [ ]) (builtins.attrNames moduleOverrides);
  quote = s: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] s}'";
  words = list: builtins.concatStringsSep " " (map quote list);

  # The form that a path has in file names of a module cache.
  escape =
    path:
    builtins.concatStringsSep "" (
      map (part: if builtins.isString part then part else "!${lower (builtins.head part)}") (builtins.split "([A-Z])" path)
    );
  lower = builtins.replaceStrings letters.upper letters.lower;
  letters = {
    upper = characters "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    lower = characters "abcdefghijklmnopqrstuvwxyz";
  };
  characters = s: builtins.genList (i: builtins.substring i 1 s) (builtins.stringLength s);

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
  # Whether there are patches at all.
  any = patched != [ ];

  # One module's tree.
  module =
    { path, version }: name: tree:
    if !builtins.elem path patched then
      tree
    else
      derive name tree "applyPatches ${quote "${path} ${version}"} \"$out\" ${
        words (map (p: "${p}") moduleOverrides.${path}.patches)
      }";

  # A vendor directory. Its modules.txt has lines `# PATH VERSION [=> PATH VERSION]`, and what stands in for a module
  # lies in the directory of that.
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

  # What modules.Unpack of the planner made: PATH@VERSION, with ! before what stands for a capital letter.
  unpacked =
    tree:
    if patched == [ ] then
      tree
    else
      derive "patched-modules" tree (
        all (path: "\"$out\"/${quote (escape path)}@*")
      );
}
