# An error message if packages in a plan in a file depend on themselves, as a merge can make them do, or null. Without it Nix
# would report infinite recursion. Packages that share a derivation count as one, which depends on all that they import.
{
  refsOf, # by the key of a package or of a part of one: the keys that it depends on
  groupOf, # by key: the group, see plan-file.nix
}:
let
  inherit (builtins)
    attrNames
    attrValues
    concatMap
    filter
    genList
    groupBy
    head
    length
    mapAttrs
    ;
  inherit (import ../functions.nix) setOf;
  keys = attrNames refsOf;
  drvOf = mapAttrs (key: group: if group == null then key else "group ${group.id}") groupOf;

  members = groupBy (key: drvOf.${key}) keys;
  # By derivation, the derivations that it depends on, without itself if packages share it.
  edges = mapAttrs (
    drv: keys:
    let
      needed = builtins.intersectAttrs (setOf (concatMap (key: refsOf.${key}) keys)) drvOf;
    in
    attrNames (
      removeAttrs (groupBy (other: other) (attrValues needed)) (if groupOf.${head keys} == null then [ ] else [ drv ])
    )
  ) members;

  # The derivations that are on a circle or depend on one: those that are left after repeatedly removing all that depend on
  # none of the others.
  withoutFree =
    edges:
    let
      free = filter (drv: !builtins.any (other: edges ? ${other}) edges.${drv}) (attrNames edges);
    in
    if free == [ ] then edges else withoutFree (removeAttrs edges free);
  left = withoutFree edges;
  # A derivation on a circle: each of them depends on another one, and the path ends in a circle.
  onCircle = builtins.foldl' (drv: _: head (filter (other: left ? ${other}) left.${drv})) (head (
    attrNames left
  )) (genList (i: i) (length (attrNames left)));
in
if left != { } then
  "what the lines of ${builtins.concatStringsSep " and " members.${onCircle}} stand for depends on itself"
else
  null
