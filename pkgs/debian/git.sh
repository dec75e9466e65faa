# The commands, and a `git` that tells them where they are now.
mkdir -p "$out/bin" "$out/libexec"
mv "$out/usr/lib/git-core" "$out/libexec"
mv "$out/usr/share/git-core" "$out/share"
rm "$out/libexec/git-core/git"
mv "$out/usr/bin/git" "$out/libexec/git-core"
rm -r "$out/usr"
cat >"$out/bin/git" <<EOF
#!$shell
export GIT_EXEC_PATH=$out/libexec/git-core GIT_TEMPLATE_DIR=$out/share/templates
if [[ \${SSL_CERT_FILE-} ]]; then
  export GIT_SSL_CAINFO=\${GIT_SSL_CAINFO-\$SSL_CERT_FILE}
fi
exec $out/libexec/git-core/git "\$@"
EOF
chmod +x "$out/bin/git"
