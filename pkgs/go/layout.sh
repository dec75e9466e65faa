# layout.sh MODULE OUT: a toolchain module as nixpkgs lays Go out. Modules come without executable bits.
# It needs bash and coreutils.
set -e
shopt -s globstar dotglob
mkdir -p "$2/bin" "$2/share"
# Hard links are enough, for the store copies; but the programs change, and the module must not.
cp -RT --link "$1" "$2/share/go" 2>/dev/null || cp -RT --force "$1" "$2/share/go"
for directory in "$2"/share/go/**/; do
  chmod u+w "$directory"
done
for program in "$2"/share/go/bin/* "$2"/share/go/pkg/tool/*/*; do
  cp "$program" "$program.tmp"
  chmod 755 "$program.tmp"
  mv -f "$program.tmp" "$program"
done
ln -s ../share/go/bin/go ../share/go/bin/gofmt "$2/bin"
