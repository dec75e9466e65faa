# What depends on itself in a plan in a file, as it can after a merge: Nix would call it infinite recursion. Packages that
# share a derivation depend on what each of them imports. Which of them comes first in it, the check of the plan compares.
{
  refsOf, # by key of a package, or of a part of one: the keys of what it refers to
  groupOf, # by key: see plan-file.nix
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
  inherit (import ./plan-functions.nix) setOf;
  keys = attrNames refsOf;
  drvOf = mapAttrs (key: group: if group == null then key else "group ${group.id}") groupOf;

  members = groupBy (key: drvOf.${key}) keys;
  # By derivation, those that it depends on: not the one itself where packages share it.
  edges = mapAttrs (
    drv: keys:
    let
      needed = builtins.intersectAttrs (setOf (concatMap (key: refsOf.${key}) keys)) drvOf;
    in
    attrNames (
      removeAttrs (groupBy (other: other) (attrValues needed)) (if groupOf.${head keys} == null then [ ] else [ drv ])
    )
  ) members;

  # Those that are on a circle, or depend on one: what is left when all have gone that depend on nothing that is left.
  withoutFree =
    edges:
    let
      free = filter (drv: !builtins.any (other: edges ? ${other}) edges.${drv}) (attrNames edges);
    in
    if free == [ ] then edges else withoutFree (removeAttrs edges free);
  left = withoutFree edges;
  # From any of them the way leads to a circle.
  onCircle = builtins.foldl' (drv: _: head (filter (other: left ? ${other}) left.${drv})) (head (
    attrNames left
  )) (genList (i: i) (length (attrNames left)));
in
if left != { } then
  "what the lines of ${builtins.concatStringsSep " and " members.${onCircle}} stand for depends on itself"
else
  null
