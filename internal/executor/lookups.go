package executor

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"dgd/internal/action"
)

// lookups collects which files programs look for below a directory.
type lookups struct {
	root    string // without symbolic links in it
	modules string // another place, of which it counts whether anything is looked for
	entries map[string]int
	result  *action.TestResult
}

// newLookups takes stock of root, before any program has changed it.
func newLookups(root, modules string, result *action.TestResult) (*lookups, error) {
	root, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, err
	}
	// What is not there yet has no path without links, but the directory above has.
	if above, err := filepath.EvalSymlinks(filepath.Dir(modules)); err == nil {
		modules = filepath.Join(above, filepath.Base(modules))
	}
	l := &lookups{root: root, modules: modules, entries: map[string]int{}, result: result}
	result.Missing, result.Listed, result.Leaving = map[string][]string{}, map[string]int{}, map[string]string{}
	return l, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path != root {
			l.entries[filepath.Dir(path)]++
		}
		if e.IsDir() {
			l.entries[path] += 0
		}
		return nil
	})
}

// below returns a path relative to root.
func (l *lookups) below(path string) (rel string, ok bool) {
	if path == l.root {
		return ".", true
	}
	return strings.CutPrefix(path, l.root+"/")
}

// unseen notes that not all look-ups are known.
func (l *lookups) unseen(why string) {
	if l.result.Unseen == "" {
		l.result.Unseen = why
	}
}

// maxFirst is how many missing paths are kept.
const maxFirst = 10000

// maxLinks is how many symbolic links the kernel follows in one path.
const maxLinks = 40

// look notes that a process looks up a path, which is relative to the directory
// base. It follows the path as the kernel does, all symbolic links included:
// where the last one would not be followed, it notes too much.
func (l *lookups) look(process int, base, path string) {
	at := base
	if strings.HasPrefix(path, "/") {
		at = "/"
	}
	todo := strings.Split(path, "/")
	link := "" // the last symbolic link below root that was followed
	for links := 0; len(todo) > 0; {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
			continue
		}
		next := filepath.Join(at, part)
		switch next {
		case "/proc/self":
			next = "/proc/" + strconv.Itoa(process)
		case "/proc/thread-self":
			next = "/proc/" + strconv.Itoa(process) + "/task/" + strconv.Itoa(process)
		}
		info, err := os.Lstat(next)
		if err != nil {
			l.miss(next, todo, link)
			return
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		target, err := os.Readlink(next)
		if links++; err != nil || links > maxLinks || strings.HasPrefix(next, "/proc/") && !strings.HasPrefix(target, "/") {
			return // nowhere, or to what has no path
		}
		if _, ok := l.below(next); ok {
			link = next
		}
		if strings.HasPrefix(target, "/") {
			at = "/"
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	if l.isModules(at) {
		l.result.Modules = true
	}
}

// list notes that the entries of a directory are read.
func (l *lookups) list(dir string) {
	if rel, ok := l.below(dir); ok {
		if n, ok := l.entries[dir]; ok { // else a program has made it
			l.result.Listed[rel] = n
		}
	}
}

func (l *lookups) isModules(path string) bool {
	return path == l.modules || strings.HasPrefix(path, l.modules+"/")
}

// miss notes that there is nothing at a path, and so nothing at rest below it.
func (l *lookups) miss(at string, rest []string, link string) {
	if l.isModules(at) {
		l.result.Modules = true
	}
	first, ok := l.below(at)
	if !ok {
		if rel, ok := l.below(link); ok {
			if target, err := os.Readlink(link); err == nil {
				l.result.Leaving[rel] = target
			}
		}
		return
	}
	path := first
	for _, part := range rest {
		if part == ".." {
			break
		}
		path = filepath.Join(path, part)
	}
	list, ok := l.result.Missing[first]
	if !ok && len(l.result.Missing) >= maxFirst {
		l.unseen("it looks for more than is kept")
		return
	}
	if len(list) < action.MaxMissing && !contains(list, path) {
		l.result.Missing[first] = append(list, path)
	}
}

// of is the path that a link below /proc/PROCESS leads to.
func of(process int, link string) (string, error) {
	path, err := os.Readlink("/proc/" + strconv.Itoa(process) + "/" + link)
	if err == nil && !strings.HasPrefix(path, "/") {
		err = syscall.ENOENT
	}
	return path, err
}
