package main

import (
	"os"
	"syscall"
)

// place is where the bench makes its directory: where it is told, or in memory
// if there is room. Disks differ in what small files cost; the sandboxes, the
// stores and Go's build cache all are there.
func place(dir string) string {
	const memory, room, noExec = "/dev/shm", 10 << 30, 0x8
	if dir == "" {
		dir = os.Getenv("TMPDIR")
	}
	var fs syscall.Statfs_t
	if dir == "" && inMemory(memory) && syscall.Statfs(memory, &fs) == nil && fs.Flags&noExec == 0 && int64(fs.Bavail)*fs.Bsize >= room {
		dir = memory
	}
	return dir
}

// inMemory reports whether a directory is in memory.
func inMemory(dir string) bool {
	const tmpfs = 0x01021994
	var fs syscall.Statfs_t
	return syscall.Statfs(dir, &fs) == nil && fs.Type == tmpfs
}
