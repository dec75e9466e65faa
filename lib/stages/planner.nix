# A derivation that the planner builds: `command` is its command, `config` what it works on.
{ system, tools }:
{
  name,
  command,
  config,
  attrs ? { },
}:
derivation (
  {
    inherit name system;
    builder = "${tools.dgd-plan}/bin/dgd-plan";
    args = [ command ];
    config = builtins.toJSON config;
    passAsFile = [ "config" ];
  }
  // attrs
)
