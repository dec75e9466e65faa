# The derivations that packages share, as internal/drvgen makes them of the groups of internal/group. Returns, by key of a
# package, where its archive and its export data are.
{
  moduleOf,
  importPath,
  derive,
  packageUnit,
}:
packages:
let
  inherit (builtins)
    attrNames
    attrValues
    concatLists
    groupBy
    head
    length
    listToAttrs
    mapAttrs
    stringLength
    substring
    ;
  inherit (import ../functions.nix) imap;
  storeName = import ./store-name.nix;

  # The order of packages in a derivation: by level, so that a package comes after those that it imports, then by name.
  pad = s: substring (stringLength s) 4 "0000" + s;
  level = p: pad p.group.level;
  order = builtins.sort (a: b: level a < level b || level a == level b && a.name < b.name);

  # Each package of a main module has an output for its archive, so that a program depends on the archives that it links
  # alone; for a program that links all of them there is an output with symlinks (group.Whole). Packages of a third-party
  # module change together, and have their archives in one output.
  formOf =
    list:
    let
      first = head list;
      file = p: {
        output = "out";
        path = "${p.name}@.a";
      };
    in
    if first.own then
      {
        name = importPath first.name;
        more = length list - 1;
        outputs = [
          "out"
        ]
        ++ concatLists (
          imap (i: _: [
            "a${toString i}"
            "x${toString i}"
          ]) list
        );
        archives = i: p: {
          archive = {
            output = "a${toString i}";
            path = "";
          };
          together = file p;
        };
      }
    else
      {
        name = (moduleOf first.key).path;
        more = length (attrNames (groupBy (p: (moduleOf p.key).path) list)) - 1;
        outputs = [ "out" ] ++ imap (i: _: "x${toString i}") list;
        archives = _: p: { archive = file p; };
      };

  places =
    id: list:
    let
      form = formOf list;
      drv = derive {
        name = storeName (if form.more == 0 then form.name else "${form.name}+${toString form.more}");
        inherit (form) outputs;
        units = map (packageUnit (listToAttrs named)) list;
      };
      named = imap (i: p: {
        name = p.key;
        value = {
          id = "group ${id}";
          group = map (p: p.key) list;
          inherit drv;
          unit = i;
          export = {
            output = "x${toString i}";
            path = "";
          };
        }
        // form.archives i p;
      }) list;
    in
    named;
  groups = mapAttrs (_: order) (groupBy (p: p.group.id) packages);
in
listToAttrs (concatLists (attrValues (mapAttrs places groups)))
