# A derivation that is there when tests have passed: a copy of what the last of their derivations leaves behind.
{ execute }:
inner: # see inner.nix
{
  name,
  tests,
  vars ? { }, # what it refers to beside them
}:
execute inner {
  inherit name;
  outputs = [ "out" ];
  spec = builtins.toJSON {
    units = [
      {
        name = "tests";
        vars = { };
        steps = [
          {
            copy = {
              from = "\${TESTS}";
              to = "\${out}";
            };
          }
        ];
      }
    ];
  };
  vars = vars // {
    TESTS = tests;
  };
}
