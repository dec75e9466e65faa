package making

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"

	"dgd/internal/lock"
)

// A Project is a module or a workspace on disk.
type Project struct {
	lock.ModFiles
	// Dir is the directory of go.mod, or of go.work, and of the lock.
	Dir string
	// Members are the directories of the main modules.
	Members []string
	// gowork is the value of GOWORK for the go command: "off", or an absolute
	// path.
	gowork string
}

// Find returns the module or the workspace that a directory belongs to, by the
// rules of the go command. gowork is the value of the variable GOWORK.
func Find(dir, gowork string) (*Project, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(dir); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a directory", dir)
	}
	p := &Project{gowork: gowork}
	if p.gowork == "" || p.gowork == "auto" {
		p.gowork = "off"
		if found := above(dir, "go.work"); found != "" {
			p.gowork = filepath.Join(found, "go.work")
		}
	}
	if p.gowork == "off" {
		p.Dir = above(dir, "go.mod")
		if p.Dir == "" {
			return nil, fmt.Errorf("%s has no go.mod, and no directory above it has one: name the directory of a module, or make one by `go mod init`", dir)
		}
		p.Members = []string{p.Dir}
	} else if err := p.readWork(); err != nil {
		return nil, err
	}
	for _, member := range p.Members {
		file, err := read(filepath.Join(member, "go.mod"))
		if err == nil && file == nil {
			err = fmt.Errorf("%s has no go.mod, although %s names the directory", member, p.gowork)
		}
		if err != nil {
			return nil, err
		}
		p.GoMods = append(p.GoMods, *file)
	}
	sums := []string{}
	for _, member := range p.Members {
		sums = append(sums, filepath.Join(member, "go.sum"))
	}
	if p.GoWork != nil {
		sums = append(sums, p.gowork+".sum")
	}
	for _, name := range sums {
		file, err := read(name)
		if err != nil {
			return nil, err
		}
		if file != nil {
			p.GoSums = append(p.GoSums, *file)
		}
	}
	return p, nil
}

// readWork reads the go.work file that gowork names.
func (p *Project) readWork() error {
	if !filepath.IsAbs(p.gowork) {
		return fmt.Errorf("GOWORK is %s, which is neither off nor an absolute path", p.gowork)
	}
	file, err := read(p.gowork)
	if err == nil && file == nil {
		err = fmt.Errorf("GOWORK is %s, and there is no such file", p.gowork)
	}
	if err != nil {
		return err
	}
	work, err := modfile.ParseWork(p.gowork, file.Text, nil)
	if err != nil {
		return err
	}
	p.GoWork, p.Dir = file, filepath.Dir(p.gowork)
	for _, use := range work.Use {
		p.Members = append(p.Members, p.absolute(use.Path))
	}
	if len(p.Members) == 0 {
		return fmt.Errorf("%s names no module: add one by `go work use`", p.gowork)
	}
	return nil
}

// absolute returns the absolute path of a directory that go.work names.
func (p *Project) absolute(dir string) string {
	dir = filepath.FromSlash(dir)
	if filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(p.Dir, dir)
}

// LockFile returns the path of the project's lock.
func (p *Project) LockFile() string { return filepath.Join(p.Dir, lock.Name) }

// ReadLock returns the project's lock, or nil if there is none.
func (p *Project) ReadLock() (*lock.Lock, error) {
	file, err := read(p.LockFile())
	if file == nil {
		return nil, err
	}
	return lock.Parse(file.Name, file.Text)
}

// above returns the nearest directory, dir itself or one above it, that has a file
// with that name, or "".
func above(dir, name string) string {
	for {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && !info.IsDir() {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// read returns a file, or nil if it does not exist.
func read(name string) (*lock.File, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &lock.File{Name: name, Text: text}, nil
}
