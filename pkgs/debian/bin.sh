# Commands only.
mv "$out/usr/bin" "$out/bin"
rm -r "$out/usr"
for link in pkgconf:pkg-config mawk:awk; do
  [[ ! -e $out/bin/${link%:*} ]] || ln -s "${link%:*}" "$out/bin/${link#*:}"
done
