# A published module's source tree, from the module proxy.
{ pkgs, fetchModule }:
{
  module,
  version,
  hash,
  go ? pkgs.go,
}:
fetchModule {
  inherit
    module
    version
    hash
    go
    ;
  name = "source";
}
