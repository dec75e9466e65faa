# The linker's flag -X gives a variable of a program its value, which is another one in each commit where it is a version
# or a revision. Only the linker looks at it. So a program is planned with stand-ins for such values, and the plan stays.
#
# This is goflags.HideValues of the planner, in evaluation: both are tested with internal/goflags/testdata/values.json.
ldflags:
let
  standIn = i: "_dgd_value_${toString i}_";
  # Expressions lose what a text refers to.
  again = text: builtins.substring 0 0 ldflags + text;
  space = "[ \t\n\r]";
  quoted = "'[^']*'|\"[^\"]*\"";

  # Without a dash at the beginning, a pattern of packages stands before the flags.
  pattern = builtins.match "([^=]*=)(.*)" ldflags;
  isFlags = builtins.match "[[:space:]]*-.*" ldflags != null;
  begin = if isFlags then "" else builtins.head pattern;
  flags = if isFlags then ldflags else builtins.elemAt pattern 1;

  # Words, as lists of one, and between them what separates these.
  parts = builtins.split "(${quoted}|[^ \t\n\r'\"][^ \t\n\r]*)" flags;
  canSplit = builtins.all (p: builtins.isList p || builtins.match "${space}*" p != null) parts;

  # A word without its quotes, if it has any.
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
    # The expressions of a text without an end would have none either.
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
