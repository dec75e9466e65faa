# The arguments of all builders with their types, defaults and descriptions. The builders check arguments and complete
# defaults by this table, and a test compares the table in docs/api.md with it.
#
# An entry has `type` (see types.nix) and `doc`, and `default` unless the argument is `required` or has no default. `text`
# is the default in words if the value itself cannot be shown. `goModule` has the attributes that differ for buildGoModule.
{ pkgs }:
let
  types = import ./types.nix;
  hook = doc: {
    type = types.hook;
    inherit doc;
  };
  ofGoModule = builtins.mapAttrs (_: entry: entry // entry.goModule or { });

  # The arguments of all builders that nixpkgs' buildGoModule has, too.
  shared = {
    src = {
      type = types.described "a path, a string with a store path, or a derivation";
      doc = "the sources, with a go.mod";
      required = true;
    };
    modRoot = {
      type = types.below;
      default = ".";
      doc = "the directory below `src` in which the go command runs";
      goModule.default = "./";
    };
    vendorHash = {
      type = types.nullOrString;
      default = null;
      doc = "the hash of the fetched modules";
      goModule.required = true;
    };
    proxyVendor = {
      type = types.bool;
      default = false;
      doc = "fetch the modules as archives, and build in module mode";
    };
    deleteVendor = {
      type = types.bool;
      default = false;
      doc = "ignore the vendor directory of `src`";
    };
    subPackages = {
      type = types.nullOrStrings;
      default = null;
      doc = "the packages to build";
      goModule.type = types.listOrWords;
      goModule.text = "all directories with Go files";
    };
    env = {
      type = types.env;
      default = { };
      doc = "environment variables of the go command and the C compiler";
      goModule.type = types.stdenvEnv;
    };
    tags = {
      type = types.strings;
      default = [ ];
      doc = "build tags";
      goModule.type = types.listOrWords;
    };
    ldflags = {
      type = types.strings;
      default = [ ];
      doc = "flags of the linker";
    };
    gcflags = {
      type = types.strings;
      default = [ ];
      doc = "flags of the compiler";
    };
    GOFLAGS = {
      type = types.strings;
      default = [ ];
      doc = "flags of `go build`";
    };
    buildInputs = {
      type = types.list;
      default = [ ];
      doc = "C libraries for cgo";
    };
    nativeBuildInputs = {
      type = types.list;
      default = [ ];
      doc = "tools for cgo";
    };
    allowGoReference = {
      type = types.bool;
      default = false;
      doc = "build without -trimpath, and let programs refer to the toolchain";
    };
    doCheck = {
      type = types.bool;
      default = false;
      doc = "whether the package depends on its tests";
      goModule.default = true;
    };
    checkFlags = {
      type = types.strings;
      default = [ ];
      doc = "flags of `go test`";
      goModule.type = types.listOrWords;
    };
    nativeCheckInputs = {
      type = types.list;
      default = [ ];
      doc = "programs that tests call";
    };
    name = {
      type = types.nullOrString;
      default = null;
      doc = "the name in the result's store path";
      goModule.type = types.string;
      goModule.text = "`pname` and `version`";
    };
    meta = {
      type = types.attrs;
      default = { };
      doc = "the result's `meta`";
    };
    passthru = {
      type = types.attrs;
      default = { };
      doc = "further attributes of the result";
    };
  };

  # The arguments of all builders that nixpkgs' buildGoModule does not have.
  own = {
    modules = {
      type = types.nullOrFile;
      default = null;
      doc = "a lock instead of `vendorHash`";
    };
    plan = {
      type = types.nullOrFile // {
        words = "a path, such as ./dgd.plan, or null";
      };
      default = null;
      doc = "a plan in a file, so that evaluation builds nothing";
    };
    contentAddressed = {
      type = types.bool;
      default = builtins ? outputOf;
      text = "`builtins ? outputOf`";
      doc = "whether packages and programs are content-addressed";
    };
    granularity = {
      type = types.granularity;
      default = "auto";
      doc = "which packages share a derivation";
    };
    fallback = {
      type = types.bool;
      default = true;
      doc = "whether `go build` builds programs that cannot be planned";
    };
    testData = {
      type = types.testData;
      default = [ ];
      doc = "further files that tests see";
    };
  };
in
rec {
  # The arguments of buildWithIFD and buildWithDynDrv.
  builders = shared // own // {
    subPackage = {
      type = types.string;
      default = ".";
      doc = "the one package to build";
    };
    go = {
      type = types.described "a derivation with bin/go";
      default = pkgs.go;
      text = "`pkgs.go`";
      doc = "the toolchain";
    };
    testPackages = {
      type = types.strings;
      default = [ "./..." ];
      doc = "patterns of the packages that are tested";
    };
    pkgs = {
      type = types.described "a package set";
      text = "the one that dgd was imported with";
      doc = "another package set for this program";
    };
    innerNix = {
      type = types.described "anything";
      default = null;
      doc = "no effect";
    };
  };

  # The arguments of buildGoModule. It also takes all other arguments of mkDerivation, unchecked.
  buildGoModule = ofGoModule shared // ownOfGoModule // {
    pname = {
      type = types.string;
      doc = "the name without the version";
      required = true;
    };
    version = {
      type = types.string;
      doc = "the version";
      required = true;
    };
    sourceRoot = {
      type = types.nullOrString;
      doc = "the directory of the unpacked sources to build in";
      text = "the unpacked directory";
    };
    patches = {
      type = types.nullOrList;
      doc = "patches of the sources, and of the fetch of the modules";
      default = [ ];
    };
    goSum = {
      type = types.nullOrFile // {
        words = "a path, such as ./go.sum, or null";
      };
      doc = "a file whose changes fetch the modules again";
      default = null;
    };
    excludedPackages = {
      type = types.listOrWords;
      doc = "directories that are not built";
      default = [ ];
    };
    overrideModAttrs = {
      type = types.extension;
      doc = "changes of the fetch of the modules";
      default = { };
    };
    enableParallelBuilding = {
      type = types.bool;
      doc = "whether phases use several cores";
      default = true;
    };
    buildTestBinaries = {
      type = types.bool;
      doc = "build test programs instead of programs";
      default = false;
    };
    prePatch = hook "runs before the patches, in the fetch of the modules, too";
    postPatch = hook "runs after the patches, in the fetch of the modules, too";
    preBuild = hook "runs before the build, in the fetch of the modules, too";
    postBuild = hook "runs after the build";
    preCheck = hook "runs before the tests, which then run all in one derivation";
    postCheck = hook "runs after the tests, which then run all in one derivation";
    preInstall = hook "runs before the installation";
    postInstall = hook "runs after the installation";
  };

  # Those of buildGoModule that do not become attributes of its derivation.
  ownOfGoModule = own // {
    useDynDrv = {
      type = types.bool;
      text = "`false`, or what `override` says";
      doc = "dynamic derivations instead of import from derivation";
    };
  };
}
