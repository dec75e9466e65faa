package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dgd/internal/inspect/sbom"
	"dgd/internal/stage"
)

func newSBOM() *cobra.Command {
	var modulesFile string
	var texts, stamped bool
	cmd := &cobra.Command{
		Use:   "sbom PROGRAM|DIR…",
		Short: "What is in Go programs, as CycloneDX JSON",
		Long: `Lists the modules that Go programs are linked from, as CycloneDX 1.6 in JSON. What the programs say
themselves is what counts, so that it works for each Go program. A directory stands for the programs
in it, or in its bin.

With the JSON of a result's passthru.modules there are also the NAR hash and the licence files of each
module. The same programs give the same list.`,
		Example: `  dgd sbom result > sbom.json
  nix-instantiate --eval --read-write-mode --strict --json -A modules > modules.json
  dgd sbom --modules modules.json result/bin/server > sbom.json`,
		Args: misused(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if texts && modulesFile == "" {
				return misuse{errors.New("--license-texts needs --modules, the file that names the licence files")}
			}
			var programs []sbom.Program
			for _, arg := range args {
				list, err := readPrograms(arg, cmd.ErrOrStderr())
				if err != nil {
					return err
				}
				programs = append(programs, list...)
			}
			modules, err := readModules(modulesFile, texts)
			if err != nil {
				return err
			}
			var stamp *sbom.Stamp
			if stamped {
				stamp = newStamp()
			}
			bom, err := sbom.New(programs, modules, stamp)
			if err != nil {
				return err
			}
			return sbom.Write(cmd.OutOrStdout(), bom)
		},
	}
	cmd.Flags().StringVar(&modulesFile, "modules", "", "`FILE` with the JSON of passthru.modules")
	cmd.Flags().BoolVar(&texts, "license-texts", false, "include the texts of the licence files")
	cmd.Flags().BoolVar(&stamped, "stamp", false, "add a random serial number and the time")
	return cmd
}

// readPrograms returns a program, or the programs of a directory. It leaves out
// files of a directory that are not Go programs, with a message on log.
func readPrograms(name string, log io.Writer) ([]sbom.Program, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		p, err := readProgram(name)
		if err != nil {
			return nil, err
		}
		return []sbom.Program{*p}, nil
	}
	dir := name
	if info, err := os.Stat(filepath.Join(name, "bin")); err == nil && info.IsDir() {
		dir = filepath.Join(name, "bin")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []sbom.Program
	for _, e := range entries {
		file := filepath.Join(dir, e.Name())
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
			if err != nil {
				return nil, err
			}
			continue
		}
		p, err := readProgram(file)
		if err != nil {
			fmt.Fprintln(log, "dgd: left out:", err)
			continue
		}
		list = append(list, *p)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s has no Go program", dir)
	}
	return list, nil
}

func readProgram(file string) (*sbom.Program, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	info, err := buildinfo.Read(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%s is not a Go program with module information: %w", file, err)
	}
	return &sbom.Program{Name: filepath.Base(file), SHA256: sha256.Sum256(text), Info: info}, nil
}

// readModules returns the modules in a file with the JSON of passthru.modules, by
// path, with the texts of their licence files if texts is set. Without a file it
// returns nil.
func readModules(file string, texts bool) (map[string]sbom.Details, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list []stage.LinkedModule
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&list); err != nil {
		return nil, fmt.Errorf("%s is not the JSON of passthru.modules: %w", file, err)
	}
	modules := map[string]sbom.Details{}
	for _, l := range list {
		m := sbom.Details{Version: l.Version}
		if l.Hash != nil {
			m.Hash = *l.Hash
		}
		for _, name := range l.Licenses {
			license := sbom.License{Name: name}
			if texts && l.Store != nil {
				license.Text, err = os.ReadFile(filepath.Join(os.Getenv("DGD_STORE_ROOT"), *l.Store, name))
				if errors.Is(err, fs.ErrNotExist) {
					return nil, fmt.Errorf("%s is not in the store: build the program first, or leave out --license-texts", *l.Store)
				}
				if err != nil {
					return nil, err
				}
			}
			m.Licenses = append(m.Licenses, license)
		}
		modules[l.Path] = m
	}
	return modules, nil
}

// newStamp returns a random serial number and the current time.
func newStamp() *sbom.Stamp {
	var id [16]byte
	rand.Read(id[:])
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // a random UUID
	return &sbom.Stamp{
		Serial: strings.ToLower(fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])),
		Time:   time.Now().UTC().Format(time.RFC3339),
	}
}
