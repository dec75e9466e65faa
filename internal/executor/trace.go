package executor

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"dgd/internal/action"
)

// trace runs programs and copies what they have opened.
func (r *runner) trace(ctx context.Context, t *action.Trace) error {
	from, err := r.expand(t.From)
	if err != nil {
		return err
	}
	to, err := r.expand(t.To)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o777); err != nil {
		return err
	}
	opened, err := r.opened(ctx, from, t.Runs)
	if errors.Is(err, errUntraced) {
		return copyTree(from, to)
	}
	if err != nil {
		return err
	}
	for _, name := range t.Keep {
		name, err := r.expand(name)
		if err != nil {
			return err
		}
		opened[filepath.Join(from, name)] = true
	}
	// Where a program looks for files shall be a directory again: some warn of
	// one that is missing.
	for _, run := range t.Runs {
		dir, err := r.expand(run.Dir)
		if err != nil {
			return err
		}
		args, err := r.words(&run)
		if err != nil {
			return err
		}
		for _, arg := range append(args, dir) {
			for _, flag := range []string{"-I", "-iquote", "-isystem", "-idirafter"} {
				arg = strings.TrimPrefix(arg, flag)
			}
			if !filepath.IsAbs(arg) {
				arg = filepath.Join(dir, arg)
			}
			if info, err := os.Stat(arg); err == nil && info.IsDir() {
				opened[filepath.Clean(arg)] = true
			}
		}
	}
	for path := range opened {
		rel, ok := strings.CutPrefix(path, from+"/")
		if !ok {
			continue
		}
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if info.IsDir() {
			err = os.MkdirAll(target, 0o777)
		} else if err = os.MkdirAll(filepath.Dir(target), 0o777); err == nil {
			err = copyFile(path, target)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// errUntraced says that nobody can tell what was opened.
var errUntraced = errors.New("untraced")

// opened runs programs and returns the files below dir that were opened
// meanwhile, as inotify tells: whatever a program is, and however it names a
// file, it opens it.
func (r *runner) opened(ctx context.Context, dir string, runs []action.Run) (map[string]bool, error) {
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		return nil, errUntraced
	}
	defer syscall.Close(fd)
	dirs := map[int32]string{}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.Type()&fs.ModeSymlink != 0:
			return errUntraced // what was opened would be another name
		case entry.IsDir():
			wd, err := syscall.InotifyAddWatch(fd, path, syscall.IN_OPEN|syscall.IN_ONLYDIR)
			if err != nil {
				return errUntraced // the machine's limit
			}
			dirs[int32(wd)] = path
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	opened := map[string]bool{}
	for i := range runs {
		// What fails here fails again where its output counts, and is shown
		// there: with all files, as it should be.
		if _, err := r.command(ctx, &runs[i]); err != nil {
			return nil, errUntraced
		}
		if err := readOpened(fd, dirs, opened); err != nil {
			return nil, err
		}
	}
	return opened, nil
}

// readOpened reads what inotify has to tell by now.
func readOpened(fd int, dirs map[int32]string, opened map[string]bool) error {
	buf := make([]byte, 1<<16)
	for {
		n, err := syscall.Read(fd, buf)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN || n == 0 && err == nil:
			return nil
		case err != nil:
			return errUntraced
		}
		for b := buf[:n]; len(b) >= syscall.SizeofInotifyEvent; {
			wd := int32(binary.NativeEndian.Uint32(b))
			mask := binary.NativeEndian.Uint32(b[4:])
			end := syscall.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
			if mask&syscall.IN_Q_OVERFLOW != 0 {
				return errUntraced
			}
			name := strings.TrimRight(string(b[syscall.SizeofInotifyEvent:end]), "\x00")
			if name != "" && mask&syscall.IN_ISDIR == 0 {
				opened[filepath.Join(dirs[wd], name)] = true
			}
			b = b[end:]
		}
	}
}
