mv "$out/usr/bin" "$out/bin"
rm -r "$out/usr"
mv "$out/bin/bash-static" "$out/bin/bash"
ln -s bash "$out/bin/sh"
