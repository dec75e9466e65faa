# layout.sh MODULE OUT: a toolchain module as nixpkgs lays Go out. Modules come without executable bits.
set -e
mkdir -p "$2/bin" "$2/share"
cp -R "$1" "$2/share/go"
chmod -R u+w "$2/share/go"
chmod +x "$2"/share/go/bin/* "$2"/share/go/pkg/tool/*/*
ln -s ../share/go/bin/go ../share/go/bin/gofmt "$2/bin"
