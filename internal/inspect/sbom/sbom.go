// Package sbom makes software bills of materials (CycloneDX) of Go programs, from
// the module information in the programs.
package sbom

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// A Program is a Go program.
type Program struct {
	Name   string // base name of its file
	SHA256 [32]byte
	Info   *debug.BuildInfo
}

// Details are facts about a module that are not in programs.
type Details struct {
	Version  string    // as in programs
	Hash     string    // hash of its NAR in SRI form, or empty
	Licenses []License // its licence files
}

// A License is a licence file of a module.
type License struct {
	Name string
	Text []byte // or nil
}

// A Stamp distinguishes SBOMs of the same programs.
type Stamp struct {
	Serial string // urn:uuid:…
	Time   string // RFC 3339
}

// specVersion is the version of CycloneDX. Few programs read newer ones yet.
const specVersion = cdx.SpecVersion1_6

// New returns the SBOM of programs. modules are details of modules, by path: if it
// is not nil, it must have all modules of the programs. stamp may be nil. The same
// arguments give the same SBOM.
func New(programs []Program, modules map[string]Details, stamp *Stamp) (*cdx.BOM, error) {
	bom := cdx.NewBOM()
	bom.SpecVersion = specVersion
	bom.Metadata = &cdx.Metadata{Tools: &cdx.ToolsChoice{Components: &[]cdx.Component{{Type: cdx.ComponentTypeApplication, Name: "dgd"}}}}
	if stamp != nil {
		bom.SerialNumber, bom.Metadata.Timestamp = stamp.Serial, stamp.Time
	}
	programs = slices.Clone(programs)
	slices.SortFunc(programs, func(a, b Program) int { return strings.Compare(a.Name, b.Name) })

	components := map[string]cdx.Component{} // by reference
	var dependencies []cdx.Dependency
	var mains []cdx.Component
	for i, p := range programs {
		if i > 0 && programs[i-1].Name == p.Name {
			return nil, fmt.Errorf("two programs have the name %s: run the command for each of them", p.Name)
		}
		main := program(p)
		mains = append(mains, main)
		refs := []string{}
		for _, dep := range p.Info.Deps {
			c, err := component(dep, modules)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.Name, err)
			}
			components[c.BOMRef] = *c
			refs = append(refs, c.BOMRef)
		}
		slices.Sort(refs)
		dependencies = append(dependencies, cdx.Dependency{Ref: main.BOMRef, Dependencies: &refs})
	}
	list := []cdx.Component{}
	if len(mains) == 1 {
		bom.Metadata.Component = &mains[0]
	} else {
		list = mains
	}
	for _, ref := range slices.Sorted(maps.Keys(components)) {
		list = append(list, components[ref])
	}
	bom.Components = &list
	bom.Dependencies = &dependencies
	return bom, nil
}

// Write writes an SBOM as JSON.
func Write(w io.Writer, bom *cdx.BOM) error {
	return cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).EncodeVersion(bom, specVersion)
}

// program returns the component for a program.
func program(p Program) cdx.Component {
	properties := []cdx.Property{
		{Name: "dgd:main", Value: p.Info.Path},
		{Name: "dgd:go", Value: p.Info.GoVersion},
	}
	return cdx.Component{
		BOMRef:     "program:" + p.Name,
		Type:       cdx.ComponentTypeApplication,
		Name:       p.Name,
		Version:    release(p.Info.Main.Version),
		PackageURL: packageURL(p.Info.Main.Path, p.Info.Main.Version),
		Hashes:     &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(p.SHA256[:])}},
		Properties: &properties,
	}
}

// component returns the component for a module. It has the name of the replacement,
// if the module has one that is not a directory.
func component(dep *debug.Module, modules map[string]Details) (*cdx.Component, error) {
	is := *dep
	var properties []cdx.Property
	if r := dep.Replace; r != nil {
		properties = append(properties, cdx.Property{Name: "dgd:replace", Value: strings.TrimSpace(dep.Path+" "+dep.Version) + " => " + r.Path})
		is = *r
		if release(r.Version) == "" {
			is = debug.Module{Path: dep.Path}
		}
	}
	c := &cdx.Component{
		Type:       cdx.ComponentTypeLibrary,
		Name:       is.Path,
		Version:    release(is.Version),
		PackageURL: packageURL(is.Path, is.Version),
	}
	c.BOMRef = c.PackageURL
	if is.Sum != "" {
		properties = append(properties, cdx.Property{Name: "dgd:sum", Value: is.Sum})
		sum, err := hash(strings.TrimPrefix(is.Sum, "h1:"))
		if err != nil {
			return nil, fmt.Errorf("module %s: the checksum %s: %w", dep.Path, is.Sum, err)
		}
		c.Hashes = sum
	}
	if modules != nil {
		m, ok := modules[dep.Path]
		if !ok || m.Version != dep.Version {
			return nil, fmt.Errorf("it is linked from %s %s, which is not in the list of modules: the list is of another build", dep.Path, dep.Version)
		}
		if m.Hash != "" {
			properties = append(properties, cdx.Property{Name: "dgd:narHash", Value: m.Hash})
			sum, err := hash(strings.TrimPrefix(m.Hash, "sha256-"))
			if err != nil {
				return nil, fmt.Errorf("module %s: the hash %s: %w", dep.Path, m.Hash, err)
			}
			c.Hashes = sum
		}
		var licenses cdx.Licenses
		for _, l := range m.Licenses {
			license := &cdx.License{Name: l.Name}
			if l.Text != nil {
				license.Text = &cdx.AttachedText{ContentType: "text/plain", Encoding: "base64", Content: base64.StdEncoding.EncodeToString(l.Text)}
			}
			licenses = append(licenses, cdx.LicenseChoice{License: license})
		}
		if len(licenses) > 0 {
			c.Licenses = &licenses
		}
	}
	if len(properties) > 0 {
		c.Properties = &properties
	}
	return c, nil
}

// hash converts a SHA-256 in base64 to the form of CycloneDX.
func hash(text string) (*[]cdx.Hash, error) {
	sum, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	if len(sum) != 32 {
		return nil, fmt.Errorf("it has %d bytes, not 32", len(sum))
	}
	return &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}, nil
}

// release returns a version, or "" for the version (devel), which cannot be fetched.
func release(version string) string {
	if version == "(devel)" {
		return ""
	}
	return version
}

// packageURL returns the package URL (purl) of a module, which for Go is in small
// letters.
func packageURL(path, version string) string {
	parts := strings.Split(strings.ToLower(path), "/")
	for i, p := range parts {
		parts[i] = escape(p)
	}
	purl := "pkg:golang/" + strings.Join(parts, "/")
	if v := release(version); v != "" {
		purl += "@" + escape(v)
	}
	return purl
}

// escape escapes all characters but the unreserved ones of a URL.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
