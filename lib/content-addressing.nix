# The attributes of a content-addressed derivation.
{
  __contentAddressed = true;
  outputHashAlgo = "sha256";
  outputHashMode = "recursive";
}
