# Replaces the values of the linker's flags -X by placeholders, and returns the flags and the values. Such a value is often
# a version or a revision, which changes with each commit, and only the linker needs it: with placeholders the plan of the
# program stays the same.
#
# goflags.HideValues of the planner does the same; internal/goflags/testdata/values.json tests both.
ldflags:
let
  standIn = i: "_dgd_value_${toString i}_";
  # A text with the context of the flags, which regular expressions drop.
  again = text: builtins.substring 0 0 ldflags + text;
  space = "[ \t\n\r]";
  quoted = "'[^']*'|\"[^\"]*\"";

  # Flags that do not begin with a dash begin with a pattern of packages: PATTERN=FLAGS.
  pattern = builtins.match "([^=]*=)(.*)" ldflags;
  isFlags = builtins.match "[[:space:]]*-.*" ldflags != null;
  begin = if isFlags then "" else builtins.head pattern;
  flags = if isFlags then ldflags else builtins.elemAt pattern 1;

  # The words, each in a list of one, alternating with the strings between them.
  parts = builtins.split "(${quoted}|[^ \t\n\r'\"][^ \t\n\r]*)" flags;
  canSplit = builtins.all (p: builtins.isList p || builtins.match "${space}*" p != null) parts;

  # The quote character around a word, or "", and the text in it.
  strip =
    w:
    let
      inner = builtins.match "'(.*)'|\"(.*)\"" w;
      first = builtins.head inner;
    in
    if builtins.match quoted w == null then
      {
        quote = "";
        text = w;
      }
    else
      {
        quote = builtins.substring 0 1 w;
        text = if first != null then first else builtins.elemAt inner 1;
      };

  hide =
    state: part:
    let
      word = strip (builtins.head part);
      named = builtins.match "(--?X=[^=]+=)(.*)" word.text;
      given = if state.isValue then builtins.match "([^=-][^=]*=)(.*)" word.text else null;
      found = if named != null then named else given;
      isX = word.text == "-X" || word.text == "--X";
    in
    if builtins.isString part then
      state // { hidden = state.hidden + part; }
    else if found == null then
      state
      // {
        hidden = state.hidden + builtins.head part;
        isValue = isX;
      }
    else
      {
        hidden =
          state.hidden
          + word.quote
          + builtins.head found
          + standIn (builtins.length state.values)
          + word.quote;
        values = state.values ++ [ (builtins.elemAt found 1) ];
        isValue = isX;
      };

  done = builtins.foldl' hide {
    hidden = begin;
    values = [ ];
    isValue = false;
  } parts;

  isPlain =
    # Nix's regular expressions fail on long texts.
    builtins.stringLength ldflags > 8192
    || builtins.replaceStrings [ "_dgd_value_" ] [ "" ] ldflags != ldflags
    || !isFlags && pattern == null
    || !canSplit;
in
if isPlain then
  {
    hidden = ldflags;
    values = [ ];
  }
else
  {
    hidden = again done.hidden;
    values = map again done.values;
  }
