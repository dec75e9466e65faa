// Package sbom lists what is in Go programs, in the form of CycloneDX: the
// modules that they say they are linked from.
package sbom

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// A Program is a Go program.
type Program struct {
	Name   string // of its file
	SHA256 [32]byte
	Info   *debug.BuildInfo
}

// A Module is what is known of a module beside what the programs say.
type Module struct {
	Path    string
	Version string // as the programs have it
	Hash    string // NAR hash (SRI) of its tree, or empty
	// Licenses are the files that say under which terms it is.
	Licenses []License
}

// A License is a file of a module. Its text may be left out.
type License struct {
	Name string
	Text []byte
}

// A Stamp makes two SBOMs of the same programs distinguishable.
type Stamp struct {
	Serial string // urn:uuid:…
	Time   string // RFC 3339
}

// specVersion is the version of CycloneDX: newer ones are read by few programs
// yet.
const specVersion = cdx.SpecVersion1_6

// New makes the list. Modules are additions, by module path; if there are any,
// each module of a program has to be among them. The same arguments give the
// same list.
func New(programs []Program, modules map[string]Module, stamp *Stamp) (*cdx.BOM, error) {
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
			return nil, fmt.Errorf("two programs of the name %s: make a list of each", p.Name)
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
	refs := make([]string, 0, len(components))
	for ref := range components {
		refs = append(refs, ref)
	}
	slices.Sort(refs)
	for _, ref := range refs {
		list = append(list, components[ref])
	}
	bom.Components = &list
	bom.Dependencies = &dependencies
	return bom, nil
}

// Write writes a list as JSON.
func Write(w io.Writer, bom *cdx.BOM) error {
	return cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).EncodeVersion(bom, specVersion)
}

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

// component is a module. What stands in for one is named in its place, unless it
// is a directory, which has no name of its own.
func component(dep *debug.Module, modules map[string]Module) (*cdx.Component, error) {
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

// hash is a SHA-256 in base 64, as CycloneDX writes it.
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

// release is a version that others can fetch, or "".
func release(version string) string {
	if version == "(devel)" {
		return ""
	}
	return version
}

// packageURL is a module's purl. For Go its specification wants small letters.
func packageURL(path, version string) string {
	parts := strings.Split(strings.ToLower(path), "/")
	for i, p := range parts {
		parts[i] = escape(p)
	}
	url := "pkg:golang/" + strings.Join(parts, "/")
	if v := release(version); v != "" {
		url += "@" + escape(v)
	}
	return url
}

func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
