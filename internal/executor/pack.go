package executor

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"dgd/internal/action"
)

// pack appends files to an archive in the form of the Go toolchain's own
// `pack r`: names of at most 16 bytes, no times, no owners.
func (r *runner) pack(p *action.Pack) (err error) {
	archive, err := r.expand(p.Archive)
	if err != nil {
		return err
	}
	files, err := r.words(&action.Run{Args: p.Files, IfExists: p.IfExists})
	if err != nil {
		return err
	}
	out, err := os.OpenFile(archive, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return fmt.Errorf("packing: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := bufio.NewWriter(out)
	for _, file := range files {
		if err := packFile(w, file); err != nil {
			return fmt.Errorf("packing: %w", err)
		}
	}
	return w.Flush()
}

func packFile(w *bufio.Writer, file string) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	name := filepath.Base(file)
	if len(name) > 16 {
		name = name[:16]
	}
	// %-16s pads by runes, the format counts bytes.
	for len(name) < 16 {
		name += " "
	}
	fmt.Fprintf(w, "%s%-12d%-6d%-6d%-8o%-10d`\n", name, 0, 0, 0, 0o644, info.Size())
	n, err := io.Copy(w, in)
	if err != nil {
		return err
	}
	if n != info.Size() {
		return fmt.Errorf("%s changed its size while it was read", file)
	}
	if n%2 == 1 {
		return w.WriteByte(0)
	}
	return nil
}
