// Client is the builder of derivations of tests. In the sandbox it adds a tree for
// each file of the directory $src, and a derivation for each tree, which refers to
// the derivations of the two files before. Its output is a report in JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"dgd/internal/nix/nar"
	"dgd/internal/nix/socket"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A report is the client's output.
type report struct {
	Trees    []string // store paths
	Drvs     []string
	Before   map[string]bool // the result of Valid before adding
	After    map[string]bool
	Requests int
	Millis   int64
	Error    string
}

func run(ctx context.Context) error {
	storeDir := os.Getenv("NIX_STORE")
	st, err := socket.OpenRecursive(ctx, os.Getenv("NIX_REMOTE"), storeDir)
	if err != nil {
		return err
	}
	defer st.Close()

	src := os.Getenv("src")
	entries, err := os.ReadDir(src)
	if err != nil {
		return err
	}
	var trees []nar.Tree
	for _, entry := range entries {
		trees = append(trees, nar.Tree{Name: nar.Name(entry.Name()), Root: src, Files: []string{entry.Name()}})
	}
	var rep report
	var batch socket.Batch
	if batch.Trees, err = nar.HashAll(ctx, trees); err != nil {
		return err
	}
	for i, t := range batch.Trees {
		path := t.StorePath(storeDir)
		rep.Trees = append(rep.Trees, path)
		drvs := slices.Clone(rep.Drvs[max(0, i-2):i])
		slices.Sort(drvs)
		var inputs []string
		for _, drv := range drvs {
			inputs = append(inputs, fmt.Sprintf(`("%s",["out"])`, drv))
		}
		d := socket.TextFile{
			Name: t.Name + ".drv",
			Text: fmt.Appendf(nil, `Derive([("out","","r:sha256","")],[%s],["%s"],"x86_64-linux","/bin/sh",["-c","true"],[("name","%s"),("out","/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9")])`,
				strings.Join(inputs, ","), path, t.Name),
			Refs: append(drvs, path),
		}
		batch.Files = append(batch.Files, d)
		rep.Drvs = append(rep.Drvs, d.Path(storeDir))
	}
	last := len(rep.Drvs) - 1
	batch.Use = rep.Drvs[last:]
	if os.Getenv("use") == "all" {
		batch.Use = slices.Concat(rep.Drvs, rep.Trees)
	}
	if os.Getenv("omit") == "tree" {
		batch.Trees = batch.Trees[1:]
	}

	all := append(slices.Concat(rep.Drvs, rep.Trees), src)
	if rep.Before, err = st.Valid(ctx, all); err != nil {
		return err
	}
	start := time.Now()
	if err := st.Add(ctx, batch); err != nil {
		rep.Error = err.Error()
	}
	rep.Millis = time.Since(start).Milliseconds()
	rep.Requests = st.Requests()
	if rep.After, err = st.Valid(ctx, all); err != nil {
		return err
	}
	data, err := json.Marshal(&rep)
	if err != nil {
		return err
	}
	return os.WriteFile(os.Getenv("out"), data, 0o666)
}
