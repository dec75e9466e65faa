package drvgen

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nix-community/go-nix/pkg/derivation"

	"dgd/internal/nix/drvfile"
	"dgd/internal/nix/socket"
)

// An Environment has the parameters that all derivations of a build share. Its paths are
// store paths that exist.
type Environment struct {
	StoreDir string // such as /nix/store
	System   string // such as x86_64-linux
	Executor string // has bin/dgd-exec
	Inputs   map[Input]string
	Inner    Inner
}

// Inner has the parameters of lib/stages/inner.nix, which say how derivations are made.
type Inner struct {
	ContentAddressed bool `json:"contentAddressed"`
	// DisallowedReferences are store paths that no output may refer to.
	DisallowedReferences []string `json:"disallowedReferences"`
	// Granularity is "auto", "module" or "package", and decides which packages share a
	// derivation: see group.Packages.
	Granularity string `json:"granularity"`
}

// maxCopies is the length that a spec may have in a derivation, in bytes and times the
// number of its outputs. Nix 2.34 keeps a copy of a derivation's text for each of its
// outputs, so that a longer spec is a file of its own, which is added to the store beside
// the derivation. lib/stages/execute.nix has the same number.
const maxCopies = 512 << 10

// Encode returns the derivations as .drv files, in the same order, each behind its spec
// if that is a file. The last one is the output of a dynamic derivation.
func Encode(drvs []Derivation, env Environment) ([]socket.TextFile, error) {
	enc := &encoder{env: env, replacements: map[string]string{}}
	for i := range drvs {
		if err := enc.add(&drvs[i]); err != nil {
			return nil, fmt.Errorf("derivation %s: %w", drvs[i].Name, err)
		}
	}
	return enc.out, nil
}

type encoder struct {
	env          Environment
	out          []socket.TextFile
	paths        []string            // of the .drv files
	outputs      []map[string]string // paths of outputs, or placeholders if content-addressed
	replacements map[string]string   // by .drv path, for the paths of input-addressed outputs
}

func (e *encoder) add(d *Derivation) error {
	drv := &derivation.Derivation{
		Outputs:          map[string]*derivation.Output{},
		InputDerivations: map[string][]string{},
		Platform:         e.env.System,
		Builder:          e.env.Executor + "/bin/dgd-exec",
		Env: map[string]string{
			"name":    d.Name,
			"system":  e.env.System,
			"builder": e.env.Executor + "/bin/dgd-exec",
			"outputs": strings.Join(d.Outputs, " "),
		},
	}
	if err := e.inputs(drv, d); err != nil {
		return err
	}
	outputs := map[string]string{}
	for _, o := range d.Outputs {
		drv.Outputs[o] = &derivation.Output{}
		drv.Env[o] = ""
	}
	if e.env.Inner.ContentAddressed {
		drv.Env["outputHashAlgo"] = "sha256"
		drv.Env["outputHashMode"] = "recursive"
		for _, o := range d.Outputs {
			drv.Outputs[o].HashAlgorithm = "r:sha256"
			drv.Env[o] = drvfile.Placeholder(o)
		}
	} else if err := e.address(drv, outputs); err != nil {
		return err
	}

	var aterm bytes.Buffer
	if err := drv.WriteDerivation(&aterm); err != nil {
		return err
	}
	refs := slices.AppendSeq(slices.Clone(drv.InputSources), maps.Keys(drv.InputDerivations))
	made := socket.TextFile{Name: d.Name + ".drv", Text: aterm.Bytes(), Refs: refs}
	drvPath := made.Path(e.env.StoreDir)
	if e.env.Inner.ContentAddressed {
		for _, o := range d.Outputs {
			outputs[o] = drvfile.InputPlaceholder(drvPath, o)
		}
	} else {
		replacement, err := drv.CalculateDrvReplacement(e.replacements)
		if err != nil {
			return err
		}
		e.replacements[drvPath] = replacement
	}
	e.out = append(e.out, made)
	e.paths = append(e.paths, drvPath)
	e.outputs = append(e.outputs, outputs)
	return nil
}

// inputs sets the inputs of a derivation, its spec, and its variables.
func (e *encoder) inputs(drv *derivation.Derivation, d *Derivation) error {
	sources := map[string]bool{e.env.Executor: true}
	if disallowed := e.env.Inner.DisallowedReferences; len(disallowed) > 0 {
		drv.Env["disallowedReferences"] = strings.Join(disallowed, " ")
		for _, p := range disallowed {
			sources[p] = true
		}
	}
	file, source, err := e.specFile(d)
	if err != nil {
		return err
	}
	if file == "" {
		drv.Env["spec"], drv.Env["passAsFile"] = d.Spec, "spec vars"
	} else {
		drv.Env["specPath"], drv.Env["passAsFile"] = file, "vars"
		sources[source] = true
	}
	vars := map[string]string{}
	for name, v := range d.Vars {
		switch {
		case v.Drv != nil:
			p := e.paths[*v.Drv]
			if !slices.Contains(drv.InputDerivations[p], v.Output) {
				drv.InputDerivations[p] = append(drv.InputDerivations[p], v.Output)
				slices.Sort(drv.InputDerivations[p])
			}
			vars[name] = e.outputs[*v.Drv][v.Output] + v.Suffix
		case v.Path != "":
			sources[v.Path] = true
			vars[name] = v.Path + v.Suffix
		default:
			p := e.env.Inputs[v.Input]
			if p == "" {
				return fmt.Errorf("needs %s, which the build does not have", v.Input)
			}
			sources[p] = true
			vars[name] = p + v.Suffix
		}
	}
	text, err := Canonical(vars)
	if err != nil {
		return err
	}
	drv.Env["vars"] = string(text)
	drv.InputSources = slices.Sorted(maps.Keys(sources))
	return nil
}

// specFile returns the file that has the spec of a derivation, and its store path, or "" if
// the spec is in the derivation. It adds the file of a long spec.
func (e *encoder) specFile(d *Derivation) (file, source string, err error) {
	if d.SpecFile != nil {
		specs := e.env.Inputs[d.SpecFile.Input]
		if specs == "" {
			return "", "", fmt.Errorf("needs %s, which the build does not have", d.SpecFile.Input)
		}
		return specs + d.SpecFile.Suffix, specs, nil
	}
	if len(d.Spec)*len(d.Outputs) <= maxCopies {
		return "", "", nil
	}
	spec := socket.TextFile{Name: d.Name + "-spec", Text: []byte(d.Spec)}
	e.out = append(e.out, spec)
	path := spec.Path(e.env.StoreDir)
	return path, path, nil
}

// address sets the paths of input-addressed outputs.
func (e *encoder) address(drv *derivation.Derivation, outputs map[string]string) error {
	replacements := map[string]string{}
	for p := range drv.InputDerivations {
		replacements[p] = e.replacements[p]
	}
	paths, err := drv.CalculateOutputPaths(replacements)
	if err != nil {
		return err
	}
	for o, p := range paths {
		drv.Outputs[o].Path = p
		drv.Env[o] = p
		outputs[o] = p
	}
	return nil
}
