#!@bash@
# A compiler of @gcc@, which is its sysroot, too. That the sysroot is a store path shows in no output.
set -eu
. @out@/nix-support/wrapper.sh
pureArguments -I -L -isystem -- "$@"

before=() after=()
for flag in ${NIX_HARDENING_ENABLE-}; do
  case $flag in
    fortify)
      before+=(-O2 -U_FORTIFY_SOURCE)
      after+=(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
      ;;
    format) before+=(-Wformat -Wformat-security -Werror=format-security) ;;
    pic) before+=(-fPIC) ;;
    stackprotector) before+=(-fstack-protector-strong --param ssp-buffer-size=4) ;;
    strictoverflow) before+=(-fno-strict-overflow) ;;
  esac
done

exec @program@ -B@out@/bin/ --sysroot=@gcc@ -ffile-prefix-map=@gcc@/=/ "${before[@]}" "${arguments[@]}" "${after[@]}" \
  ${NIX_CFLAGS_COMPILE-}
