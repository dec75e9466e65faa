package executor

import "syscall"

const (
	auditArch         = 0xc000003e
	sysSeccomp        = 317
	sysNewfstatat     = syscall.SYS_NEWFSTATAT
	sysStatx          = 332
	sysExecveat       = 322
	sysRenameat2      = 316
	sysNameToHandleAt = 303
	sysOpenByHandleAt = 304
)

// oldCalls are those that other platforms do not have.
var oldCalls = []systemCall{
	{number: syscall.SYS_OPEN, paths: argument},
	{number: syscall.SYS_GETDENTS, lists: true},
	{number: syscall.SYS_CREAT, paths: argument},
	{number: syscall.SYS_STAT, paths: argument},
	{number: syscall.SYS_LSTAT, paths: argument},
	{number: syscall.SYS_ACCESS, paths: argument},
	{number: syscall.SYS_READLINK, paths: argument},
	{number: syscall.SYS_MKDIR, paths: argument},
	{number: syscall.SYS_RMDIR, paths: argument},
	{number: syscall.SYS_MKNOD, paths: argument},
	{number: syscall.SYS_UNLINK, paths: argument},
	{number: syscall.SYS_RENAME, paths: twoArguments},
	{number: syscall.SYS_LINK, paths: twoArguments},
	{number: syscall.SYS_SYMLINK, paths: secondArgument},
	{number: syscall.SYS_CHMOD, paths: argument},
	{number: syscall.SYS_CHOWN, paths: argument},
	{number: syscall.SYS_LCHOWN, paths: argument},
	{number: syscall.SYS_UTIME, paths: argument},
	{number: syscall.SYS_UTIMES, paths: argument},
	{number: syscall.SYS_FUTIMESAT, paths: below},
}
