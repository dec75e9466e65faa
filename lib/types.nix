# The types of arguments: `words` says what a value must be, and `check` reports whether it is that.
let
  isText = v: builtins.isString v || builtins.isAttrs v && v.type or "" == "derivation";
  types = {
    string = {
      words = "a string";
      check = builtins.isString;
    };
    nullOrString = {
      words = "a string or null";
      check = v: v == null || builtins.isString v;
    };
    nullOrFile = {
      words = "a path, such as ./dgd.lock, or null";
      check = v: v == null || builtins.isPath v || builtins.isString v && builtins.substring 0 1 v == "/" || v ? outPath;
    };
    below = {
      words = "a string with a path below src, such as \"server\"";
      check =
        v:
        builtins.isString v
        && builtins.substring 0 1 v != "/"
        && !builtins.elem ".." (builtins.filter builtins.isString (builtins.split "/" v));
    };
    strings = {
      words = "a list of strings";
      check = v: builtins.isList v && builtins.all builtins.isString v;
    };
    nullOrStrings = {
      words = "a list of at least one string, or null";
      check = v: v == null || types.strings.check v && v != [ ];
    };
    listOrWords = {
      words = "a list of strings, or a string of words";
      check = v: v == null || builtins.isString v || types.strings.check v;
    };
    nullOrList = {
      words = "a list, or null";
      check = v: v == null || builtins.isList v;
    };
    list = {
      words = "a list";
      check = builtins.isList;
    };
    bool = {
      words = "true or false";
      check = builtins.isBool;
    };
    granularity = {
      words = "\"auto\", \"module\" or \"package\"";
      check = v: v == "auto" || v == "module" || v == "package";
    };
    testData = {
      words = "a list of strings, or an attribute set of such lists";
      check =
        v: types.strings.check v || builtins.isAttrs v && builtins.all types.strings.check (builtins.attrValues v);
    };
    attrs = {
      words = "an attribute set";
      check = builtins.isAttrs;
    };
    hook = types.nullOrString // {
      words = "a string with shell code";
    };
    extension = {
      words = "attributes of goModules, or a function of its old or of its final and its old ones";
      check = v: builtins.isFunction v || builtins.isAttrs v;
    };
    # The values that mkDerivation accepts in `env` and converts to strings.
    stdenvEnv = {
      words = "an attribute set of strings, numbers, booleans and derivations, such as { CGO_ENABLED = 0; }";
      check =
        v: builtins.isAttrs v && builtins.all (x: builtins.isBool x || builtins.isInt x || isText x) (builtins.attrValues v);
    };
    # A type that accepts any value.
    described = words: {
      inherit words;
      check = _: true;
    };
    env = {
      words = "an attribute set of strings, such as { CGO_ENABLED = \"0\"; }";
      check =
        v: builtins.isAttrs v && builtins.all (x: builtins.isString x || builtins.isInt x) (builtins.attrValues v);
    };
  };
in
types
