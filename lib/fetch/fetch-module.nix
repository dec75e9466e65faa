# The tree of one module, as the go command unpacks it.
{ fetch }:
{
  module,
  version,
  hash,
  name,
  go,
  sum ? null, # the checksum in go.sum; without it the go command asks the checksum database
  env ? { },
}:
fetch {
  inherit name hash go;
  env = env // (if sum == null then { } else { GOSUMDB = "off"; });
  vars = {
    inherit module version;
    sum = if sum == null then "" else sum;
  };
  script = ''
    if [ -n "$sum" ]; then
      # Go compares what it downloads with the go.sum of the module that it runs in.
      echo "module dgd.lock" > go.mod
      echo "$module $version $sum" > go.sum
    fi
    status=0
    timeout "$DGD_FETCH_TIMEOUT" go mod download "$module@$version" 2> ../said || status=$?
    if [ "$status" != 0 ]; then
      # ssh ends its messages with a carriage return, and of such a line Nix shows nothing.
      tr -d '\r' < ../said >&2
      if [ "$status" = 124 ]; then
        echo "dgd: $module $version was not downloaded within $DGD_FETCH_TIMEOUT: try again, or set env.DGD_FETCH_TIMEOUT to more time" >&2
      elif grep -q '^SECURITY ERROR' ../said; then
        echo "dgd: $module $version does not have the checksum of go.sum and dgd.lock: either these are wrong, or the server is" >&2
      else
        echo "dgd: $module $version could not be fetched, see above; GOPROXY, NETRC and the like set the server and the credentials: see docs/modules.md" >&2
      fi
      exit 1
    fi
    cp -r "$GOMODCACHE/$(sed 's/[A-Z]/!\l&/g' <<< "$module@$version")" "$out"
  '';
}
