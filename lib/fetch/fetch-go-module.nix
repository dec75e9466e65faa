# fetchGoModule: the source tree of a published module, from the module proxy.
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
