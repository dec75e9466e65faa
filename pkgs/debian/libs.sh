# Debian's usr/lib/TRIPLET and usr/include as lib and include.
mkdir -p "$out/lib"
mv "$out"/usr/lib/*-linux-gnu*/* "$out/lib"
[[ ! -e $out/usr/include ]] || mv "$out/usr/include" "$out"
rm -r "$out/usr"
for file in "$out"/lib/pkgconfig/*.pc; do
  sed -i "s|^prefix=.*|prefix=$out|; s|/lib/[^/]*-linux-gnu[^/]*|/lib|" "$file"
done
