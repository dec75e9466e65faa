# A derivation that can be built only if tests pass: it copies the output of the last of their derivations.
{ execute }:
inner: # see inner.nix
{
  name,
  tests,
  vars ? { }, # further dependencies
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
