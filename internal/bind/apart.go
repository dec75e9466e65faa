package bind

import (
	"os"
	"path"
	"slices"

	"dgd/internal/graph"
)

// A derivation costs as much as compiling some small C files. So a C file of heavySize
// bytes, or one of C++, whose headers are large, gets a derivation of its own. The other
// files of a package share one.
const (
	heavySize = 64 << 10
	lightSize = 16 << 10 // a package with a single smaller file is not divided
	manyFiles = 8        // nor is one with fewer files, of which none is heavy
)

// Divide returns the function by which graph.Apart divides the C of packages. Src and
// vendor are as for Sources. With ask, Ask nodes find out which files a compile reads,
// which pays if derivations are content-addressed.
func Divide(src, vendor string, ask bool) func(*graph.Node, []string) (*graph.Division, error) {
	r := newReader(src, vendor)
	return func(n *graph.Node, files []string) (*graph.Division, error) {
		groups, err := r.weigh(n, files)
		if groups == nil || err != nil {
			return nil, err
		}
		d := &graph.Division{Groups: groups}
		cmd := &command{}
		if !n.Src.Vendored {
			if cmd, err = r.command(n.Src.Dir, n.Steps); err != nil {
				return nil, err
			}
		}
		for i := range d.Groups {
			g := &d.Groups[i]
			if n.Src.Vendored {
				g.Header = n.Src.Exports
				continue
			}
			c, err := r.close(slices.Concat(g.Files, cmd.files), cmd)
			if err != nil {
				return nil, err
			}
			if c.cgo {
				return nil, nil
			}
			g.Header = c.header
			// If macros make a name that is only looked up, no opened file shows it.
			g.Ask = ask && !c.loose && !c.asks
		}
		if n.Src.Vendored {
			return d, nil
		}
		// The C that cgo writes has the preambles of Go files.
		c, err := r.close(slices.Concat(n.Src.Files, cmd.files), cmd)
		if err != nil {
			return nil, err
		}
		d.Ask = ask && !c.loose && !c.asks
		return d, nil
	}
}

// weigh returns the groups of C files that are compiled together, or nil if the package
// should not be divided.
func (r *reader) weigh(n *graph.Node, files []string) ([]graph.ObjectGroup, error) {
	var groups []graph.ObjectGroup
	var light []string
	var total int64
	for _, f := range files {
		size := n.Src.Sizes[f]
		if !n.Src.Vendored {
			info, err := os.Stat(r.disk(f))
			if err != nil {
				return nil, err
			}
			size = info.Size()
		}
		total += size
		switch ext := path.Ext(f); {
		case size >= heavySize, ext != ".c" && ext != ".s" && ext != ".S" && ext != ".sx":
			groups = append(groups, graph.ObjectGroup{Name: path.Base(f), Files: []string{f}})
		default:
			light = append(light, f)
		}
	}
	switch {
	case len(files) == 1 && total < lightSize, len(groups) == 0 && len(light) < manyFiles:
		return nil, nil
	case len(light) > 0:
		groups = append(groups, graph.ObjectGroup{Name: "c", Files: light})
	}
	return groups, nil
}
