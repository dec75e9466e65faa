# The modules of a lock, each fetched by a derivation of its own.
{
  fetch,
  fetchModule,
  moduleOverrides,
  patchModules,
  planner,
}:
{
  modules, # the lock file
  src, # null if phases may change it
  modRoot,
  env,
  go,
  fail,
}:
let
  # The same names as the planner's (nar.Name), so that a module has the store path of an unpacked archive of proxyVendor.
  storeName = import ../stages/store-name.nix;

  locks = import ./lock.nix;
  lock = locks.read fail modules;
  # If the source cannot be read yet, the planner compares it with the lock.
  findings =
    if src != null && import ../is-here.nix src then
      locks.check ((import ./mod-files.nix).project { inherit src modRoot env; }) lock
    else
      [ ];

  list = map (
    m:
    let
      source = m.replace or m;
      inherit (source) path;
      override = moduleOverrides.${path} or { };
      version = override.version or source.version;
      other = version != source.version;
      name = storeName "${path}@${version}";
      origin = fetchModule {
        module = path;
        inherit
          version
          name
          go
          env
          ;
        sum = if other then null else m.sum;
        hash = if other then override.hash else m.hash;
      };
    in
    {
      inherit path version origin;
      sum = if other then "" else m.sum;
      locked = source.version;
      tree = patchModules.module { inherit path version; } name origin;
    }
  ) (builtins.filter (m: m ? hash) lock.modules);

  # The go.mod files of modules of which nothing else is needed, or null.
  goMods =
    if !(lock ? goMods) then
      null
    else
      fetch {
        name = "go-mods";
        inherit (lock.goMods) hash;
        inherit go;
        # The go command compares these files with go.sum when it reads them.
        env = env // {
          GOSUMDB = "off";
        };
        vars.modules = builtins.concatStringsSep "\n" lock.goMods.modules + "\n";
        passAsFile = [ "modules" ];
        script = ''
          timeout "$DGD_FETCH_TIMEOUT" xargs -n 16 -P 8 go list -m < "$modulesPath" > /dev/null
          mkdir "$out"
          cd "$GOMODCACHE/cache/download"
          find . -name '*.mod' -exec cp --parents -t "$out" {} +
        '';
      };

  # The modules in the planner's configuration: see workspace.Locked.
  config =
    if findings != [ ] then
      fail "dgd.lock does not fit src:\n  ${builtins.concatStringsSep "\n  " findings}\n${locks.mend modules}"
    else
      {
        text = builtins.unsafeDiscardStringContext (builtins.readFile modules);
        modules = list;
        goMods = if goMods == null then "" else goMods;
      };
in
{
  inherit config;

  # The modules to which moduleOverrides gives another version.
  raised = builtins.filter (m: m.version != m.locked) list;

  # A module cache, for phases that run the go command.
  cache = planner {
    name = "module-cache";
    command = "modcache";
    inherit config;
  };
}
