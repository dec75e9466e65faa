# A derivation whose builder is the planner: `command` names the stage that it runs, with the configuration `config`.
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
