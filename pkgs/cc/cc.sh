#!@bash@
# A compiler of @gcc@, which is its sysroot, too. That the sysroot is a store path shows in no output.
exec @program@ -B@out@/bin/ --sysroot=@gcc@ -ffile-prefix-map=@gcc@/=/ "$@" $NIX_CFLAGS_COMPILE
