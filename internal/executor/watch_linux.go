//go:build linux && (amd64 || arm64)

package executor

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"
)

// How look-ups are watched: a filter for system calls (seccomp) makes the kernel
// ask before each call that takes a path. The answer is always to go on. The
// filter holds for all processes that a program starts, and needs no privileges.
// It is the kernel's since Linux 5.5.

// Numbers of the kernel's that package syscall does not have.
const (
	prSetNoNewPrivs       = 38
	seccompSetModeFilter  = 1
	seccompNewListener    = 1 << 3
	seccompWaitKillable   = 1 << 5 // since Linux 5.19: signals do not interrupt a call that waits for its answer
	seccompRetUserNotif   = 0x7fc00000
	seccompRetAllow       = 0x7fff0000
	ioctlNotifRecv        = 0xc0502100
	ioctlNotifSend        = 0xc0182101
	ioctlNotifIDValid     = 0x40082102
	seccompNotifyContinue = 1
	atFDCWD               = -100
	pathMax               = 4096
)

// A systemCall is one that takes paths.
type systemCall struct {
	number uintptr
	paths  []pathArgument
	lists  bool // the entries of the directory that is its first argument
	// leaves says that paths after it may mean other files than they seem to, or
	// that files are opened without any.
	leaves bool
}

// A pathArgument says which argument of a system call is a path, and which is
// the directory that it is relative to: noDir is the working directory.
type pathArgument struct{ dir, path int }

const noDir = -1

var (
	argument       = []pathArgument{{noDir, 0}}
	secondArgument = []pathArgument{{noDir, 1}}
	twoArguments   = []pathArgument{{noDir, 0}, {noDir, 1}}
	below          = []pathArgument{{0, 1}}
	twoBelow       = []pathArgument{{0, 1}, {2, 3}}
)

// commonCalls are those that all platforms have.
var commonCalls = []systemCall{
	{number: syscall.SYS_OPENAT, paths: below},
	{number: 437, paths: below}, // openat2
	{number: syscall.SYS_GETDENTS64, lists: true},
	{number: sysNewfstatat, paths: below},
	{number: sysStatx, paths: below},
	{number: syscall.SYS_FACCESSAT, paths: below},
	{number: 439, paths: below}, // faccessat2
	{number: syscall.SYS_READLINKAT, paths: below},
	{number: syscall.SYS_CHDIR, paths: argument},
	{number: syscall.SYS_EXECVE, paths: argument},
	{number: sysExecveat, paths: below},
	{number: syscall.SYS_MKDIRAT, paths: below},
	{number: syscall.SYS_MKNODAT, paths: below},
	{number: syscall.SYS_UNLINKAT, paths: below},
	{number: syscall.SYS_RENAMEAT, paths: twoBelow},
	{number: sysRenameat2, paths: twoBelow},
	{number: syscall.SYS_LINKAT, paths: twoBelow},
	{number: syscall.SYS_SYMLINKAT, paths: []pathArgument{{1, 2}}},
	{number: syscall.SYS_TRUNCATE, paths: argument},
	{number: syscall.SYS_FCHMODAT, paths: below},
	{number: 452, paths: below}, // fchmodat2
	{number: syscall.SYS_FCHOWNAT, paths: below},
	{number: syscall.SYS_UTIMENSAT, paths: below},
	{number: syscall.SYS_STATFS, paths: argument},
	{number: syscall.SYS_INOTIFY_ADD_WATCH, paths: secondArgument},
	{number: sysNameToHandleAt, paths: below},
	{number: syscall.SYS_GETXATTR, paths: argument},
	{number: syscall.SYS_LGETXATTR, paths: argument},
	{number: syscall.SYS_LISTXATTR, paths: argument},
	{number: syscall.SYS_LLISTXATTR, paths: argument},
	{number: syscall.SYS_SETXATTR, paths: argument},
	{number: syscall.SYS_LSETXATTR, paths: argument},
	{number: syscall.SYS_REMOVEXATTR, paths: argument},
	{number: syscall.SYS_LREMOVEXATTR, paths: argument},

	{number: syscall.SYS_CHROOT, leaves: true},
	{number: syscall.SYS_PIVOT_ROOT, leaves: true},
	{number: syscall.SYS_MOUNT, leaves: true},
	{number: sysOpenByHandleAt, leaves: true},
	{number: 425, leaves: true}, // io_uring_setup
	{number: 428, leaves: true}, // open_tree
	{number: 429, leaves: true}, // move_mount
}

// watchedCalls are all that are watched.
func watchedCalls() []systemCall {
	return append(commonCalls[:len(commonCalls):len(commonCalls)], oldCalls...)
}

// filter asks about the calls that are watched, and about every call of another
// platform than this one.
func filter() []syscall.SockFilter {
	list := watchedCalls()
	ask := func(at int) uint8 { return uint8(len(list) + 5 - at - 1) }
	program := []syscall.SockFilter{
		{Code: syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS, K: 4}, // the platform
		{Code: syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K, K: auditArch, Jf: ask(1)},
		{Code: syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS, K: 0}, // the call's number
		{Code: syscall.BPF_JMP | syscall.BPF_JGE | syscall.BPF_K, K: otherABI, Jt: ask(3)},
	}
	for _, c := range list {
		program = append(program, syscall.SockFilter{
			Code: syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K, K: uint32(c.number), Jt: ask(len(program)),
		})
	}
	return append(program,
		syscall.SockFilter{Code: syscall.BPF_RET | syscall.BPF_K, K: seccompRetAllow},
		syscall.SockFilter{Code: syscall.BPF_RET | syscall.BPF_K, K: seccompRetUserNotif},
	)
}

// otherABI is where the numbers of another interface begin, which amd64 has.
const otherABI = 0x40000000

// install puts the filter on the calling thread, and returns the descriptor at
// which the kernel asks.
func install() (int, error) {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0); errno != 0 {
		return 0, os.NewSyscallError("prctl", errno)
	}
	program := filter()
	prog := syscall.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	var errno syscall.Errno
	for _, flags := range []uintptr{seccompNewListener | seccompWaitKillable, seccompNewListener} {
		var fd uintptr
		if fd, _, errno = syscall.RawSyscall(sysSeccomp, seccompSetModeFilter, flags, uintptr(unsafe.Pointer(&prog))); errno == 0 {
			return int(fd), nil
		}
	}
	return 0, os.NewSyscallError("seccomp", errno)
}

// listenerFD is where a watched program finds its connection.
const listenerFD = 3

// Watched becomes the program of args, of which this process's parent then sees
// each look-up. It returns only if that fails.
func Watched(args []string) error {
	runtime.LockOSThread()
	fd, err := install()
	if err != nil {
		err = syscall.Sendmsg(listenerFD, []byte(err.Error()), nil, nil, 0)
	} else {
		err = syscall.Sendmsg(listenerFD, []byte{0}, syscall.UnixRights(fd), nil, 0)
		syscall.CloseOnExec(fd)
	}
	if err != nil {
		return err
	}
	syscall.CloseOnExec(listenerFD)
	return os.NewSyscallError("exec", syscall.Exec(args[0], args, os.Environ()))
}

// A watch receives what the kernel asks.
type watch struct {
	seen   *lookups
	calls  map[int32]systemCall // by number
	socket int
	stop   int // closed to end it
	done   chan struct{}
}

// startWatched starts a command, of which self is the way to Watched. What it
// looks up is seen until end is called.
func startWatched(cmd *exec.Cmd, self []string, seen *lookups) (end func(), err error) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	childs := os.NewFile(uintptr(pair[1]), "socket")
	defer childs.Close()
	var stop [2]int
	if err := syscall.Pipe2(stop[:], syscall.O_CLOEXEC); err != nil {
		syscall.Close(pair[0])
		return nil, os.NewSyscallError("pipe", err)
	}
	cmd.Args = append(append([]string(nil), self...), cmd.Args...)
	cmd.Path = self[0]
	cmd.ExtraFiles = []*os.File{childs}
	if err := cmd.Start(); err != nil {
		for _, fd := range []int{pair[0], stop[0], stop[1]} {
			syscall.Close(fd)
		}
		return nil, err
	}
	w := &watch{seen: seen, calls: map[int32]systemCall{}, socket: pair[0], stop: stop[0], done: make(chan struct{})}
	for _, c := range watchedCalls() {
		w.calls[int32(c.number)] = c
	}
	go w.serve()
	return func() {
		syscall.Close(stop[1])
		<-w.done
		syscall.Close(stop[0])
	}, nil
}

// serve answers until the program and all that it has started are gone, or the
// watch ends.
func (w *watch) serve() {
	defer close(w.done)
	listener, err := w.receive()
	syscall.Close(w.socket)
	if err != nil {
		w.seen.unseen("the kernel does not tell: " + err.Error())
		return
	}
	defer syscall.Close(listener)
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		w.seen.unseen(err.Error())
		return
	}
	defer syscall.Close(epoll)
	for _, fd := range []int{listener, w.stop} {
		if err := syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}); err != nil {
			w.seen.unseen(err.Error())
			return
		}
	}
	for {
		var events [2]syscall.EpollEvent
		n, err := syscall.EpollWait(epoll, events[:], -1)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			w.seen.unseen(err.Error())
			return
		}
		for _, e := range events[:n] {
			if int(e.Fd) != listener || e.Events&syscall.EPOLLIN == 0 {
				return // it ends, or nobody is left who could ask
			}
			if err := w.answer(listener); err != nil {
				w.seen.unseen(err.Error())
				return
			}
		}
	}
}

// receive takes the listener from the process that becomes the program.
func (w *watch) receive() (int, error) {
	text, oob := make([]byte, 256), make([]byte, syscall.CmsgSpace(4))
	for {
		n, oobn, _, _, err := syscall.Recvmsg(w.socket, text, oob, syscall.MSG_CMSG_CLOEXEC)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return 0, err
		}
		messages, err := syscall.ParseSocketControlMessage(oob[:oobn])
		if err != nil {
			return 0, err
		}
		if len(messages) == 0 {
			return 0, errors.New(string(text[:n]))
		}
		fds, err := syscall.ParseUnixRights(&messages[0])
		if err != nil {
			return 0, err
		}
		return fds[0], nil
	}
}

// A notification is what the kernel asks.
type notification struct {
	id     uint64
	pid    uint32
	_      uint32
	number int32
	arch   uint32
	_      uint64
	args   [6]uint64
}

// An answer is what it gets.
type answer struct {
	id    uint64
	_     int64
	_     int32
	flags uint32
}

// answer takes a question, notes what is looked up, and lets the call go on.
func (w *watch) answer(listener int) error {
	var n notification
	if err := ioctl(listener, ioctlNotifRecv, unsafe.Pointer(&n)); err != nil {
		if errors.Is(err, syscall.EINTR) || errors.Is(err, syscall.ENOENT) {
			return nil // who asked is no more
		}
		return os.NewSyscallError("receiving a notification", err)
	}
	w.note(listener, &n)
	err := ioctl(listener, ioctlNotifSend, unsafe.Pointer(&answer{id: n.id, flags: seccompNotifyContinue}))
	if err != nil && !errors.Is(err, syscall.ENOENT) {
		return os.NewSyscallError("answering a notification", err)
	}
	return nil
}

func ioctl(fd int, request uintptr, arg unsafe.Pointer) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), request, uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}

// note notes what a call looks up.
func (w *watch) note(listener int, n *notification) {
	call, ok := w.calls[n.number]
	if !ok || n.arch != auditArch {
		w.seen.unseen("it runs a program of another platform")
		return
	}
	if call.leaves {
		w.seen.unseen("it changes what paths mean, or opens files without any (system call " + strconv.Itoa(int(n.number)) + ")")
		return
	}
	if call.lists {
		if dir, err := of(int(n.pid), "fd/"+strconv.Itoa(int(int32(n.args[0])))); err == nil {
			w.seen.list(dir)
		}
		return
	}
	for _, p := range call.paths {
		if err := w.path(n, p); err != nil {
			// A process that is gone or gave no path has not looked anything up.
			if ioctl(listener, ioctlNotifIDValid, unsafe.Pointer(&n.id)) == nil && !errors.Is(err, errNoPath) {
				w.seen.unseen("a path of another process cannot be read: " + err.Error())
			}
			return
		}
	}
}

var errNoPath = errors.New("no path")

// path notes one path of a call.
func (w *watch) path(n *notification, p pathArgument) error {
	process := int(n.pid)
	name, err := readPath(process, n.args[p.path])
	if err != nil || name == "" {
		return err
	}
	base := ""
	if dir := "cwd"; name[0] != '/' {
		if p.dir != noDir && int32(n.args[p.dir]) != atFDCWD {
			dir = "fd/" + strconv.Itoa(int(int32(n.args[p.dir])))
		}
		if base, err = of(process, dir); err != nil {
			if errors.Is(err, syscall.ENOENT) {
				return nil // no such descriptor, or of no directory
			}
			return err
		}
	}
	w.seen.look(process, base, name)
	return nil
}

// readPath reads a string from another process's memory.
func readPath(process int, address uint64) (string, error) {
	if address == 0 {
		return "", nil
	}
	memory, err := syscall.Open("/proc/"+strconv.Itoa(process)+"/mem", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer syscall.Close(memory)
	var text []byte
	for len(text) < pathMax {
		// The next page may not be there.
		at := int64(address) + int64(len(text))
		page := make([]byte, pathMax-at%pathMax)
		n, err := syscall.Pread(memory, page, at)
		if err != nil || n == 0 {
			return "", errNoPath // the call itself fails, too
		}
		for i, c := range page[:n] {
			if c == 0 {
				return string(append(text, page[:i]...)), nil
			}
		}
		text = append(text, page[:n]...)
	}
	return "", errNoPath
}
