package drvgen

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/nix-community/go-nix/pkg/derivation"

	"dgd/internal/nix/drvfile"
	"dgd/internal/nix/socket"
)

// Environment is what all derivations of a build have in common. Its paths are
// store paths that exist.
type Environment struct {
	StoreDir string // /nix/store
	System   string // x86_64-linux
	Executor string // holds bin/dgd-exec
	Inputs   map[Input]string
	Inner    Inner
}

// Inner says how the derivations are made, as lib/stages/inner.nix does.
type Inner struct {
	ContentAddressed bool `json:"contentAddressed"`
	// DisallowedReferences are store paths that no output may refer to.
	DisallowedReferences []string `json:"disallowedReferences"`
	// Granularity is "auto", "module" or "package": which packages share a
	// derivation, see group.Packages.
	Granularity string `json:"granularity"`
}

// Encode writes the derivations as .drv files. The last one's path is what a
// dynamic derivation hands to Nix.
func Encode(drvs []Derivation, env Environment) ([]socket.Derivation, error) {
	enc := &encoder{env: env}
	for i := range drvs {
		if err := enc.add(&drvs[i]); err != nil {
			return nil, fmt.Errorf("derivation %s: %w", drvs[i].Name, err)
		}
	}
	return enc.out, nil
}

type encoder struct {
	env          Environment
	out          []socket.Derivation
	paths        []string            // .drv paths
	outputs      []map[string]string // what other derivations write for an output: its path or its placeholder
	replacements map[string]string   // for input-addressed output paths
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
	refs := slices.Clone(drv.InputSources)
	for p := range drv.InputDerivations {
		refs = append(refs, p)
	}
	made := socket.Derivation{Name: d.Name + ".drv", ATerm: aterm.Bytes(), Refs: refs}
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
		if e.replacements == nil {
			e.replacements = map[string]string{}
		}
		e.replacements[drvPath] = replacement
	}
	e.out = append(e.out, made)
	e.paths = append(e.paths, drvPath)
	e.outputs = append(e.outputs, outputs)
	return nil
}

// inputs sets what a derivation refers to, and the variables that say where it is.
func (e *encoder) inputs(drv *derivation.Derivation, d *Derivation) error {
	sources := map[string]bool{e.env.Executor: true}
	if disallowed := e.env.Inner.DisallowedReferences; len(disallowed) > 0 {
		drv.Env["disallowedReferences"] = strings.Join(disallowed, " ")
		for _, p := range disallowed {
			sources[p] = true
		}
	}
	if d.SpecFile == nil {
		drv.Env["spec"], drv.Env["passAsFile"] = d.Spec, "spec vars"
	} else {
		specs := e.env.Inputs[d.SpecFile.Input]
		if specs == "" {
			return fmt.Errorf("needs %s, which the build does not have", d.SpecFile.Input)
		}
		drv.Env["specPath"], drv.Env["passAsFile"] = specs+d.SpecFile.Suffix, "vars"
		sources[specs] = true
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
	text, err := marshal(vars)
	if err != nil {
		return err
	}
	drv.Env["vars"] = string(text)
	for s := range sources {
		drv.InputSources = append(drv.InputSources, s)
	}
	slices.Sort(drv.InputSources)
	return nil
}

// address computes the paths of input-addressed outputs.
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
