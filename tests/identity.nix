# Compares programs that dgd has built, byte for byte, with those of `go build`.
{
  pkgs,
  name,
  packages, # attribute set of packages
  reference, # see reference.nix
}:
let
  compare = name: ''
    for p in ${packages.${name}}/bin/*; do
      if cmp "$p" ${reference}/${name}/bin/"''${p##*/}"; then
        echo "${name}: ''${p##*/} is the same"
      else
        failed="$failed ${name}"
      fi
    done
    [ "$(ls ${packages.${name}}/bin)" = "$(ls ${reference}/${name}/bin)" ] || failed="$failed ${name}"
  '';
in
pkgs.stdenvNoCC.mkDerivation {
  inherit name;
  buildCommand = ''
    failed=
    ${builtins.concatStringsSep "\n" (map compare (builtins.attrNames packages))}
    if [ -n "$failed" ]; then
      echo "these differ from what go build makes:$failed" >&2
      exit 1
    fi
    echo ${toString (builtins.length (builtins.attrNames packages))} programs > $out
  '';
}
