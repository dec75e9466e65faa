package sbom

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schema returns the JSON schema of CycloneDX, which is in its Go module.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "schema")
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for name, file := range map[string]string{
		"bom-1.6.schema.json":  "bom-1.6.schema.json",
		"spdx.schema.json":     "spdx.schema.json",
		"jsf-0.82.schema.json": "jsf-0.82.schemax.json",
	} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("http://cyclonedx.org/schema/"+name, doc); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t *testing.T, programs []Program, modules map[string]Details, stamp *Stamp) []byte {
	t.Helper()
	bom, err := New(programs, modules, stamp)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Write(&b, bom); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func validate(t *testing.T, s *jsonschema.Schema, text []byte) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(doc); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

// A list has the parts of a CycloneDX document that tests check.
type list struct {
	SerialNumber string
	Metadata     struct {
		Timestamp string
		Component *part
	}
	Components   []part
	Dependencies []struct {
		Ref       string
		DependsOn []string
	}
}

type part struct {
	Ref                       string `json:"bom-ref"`
	Type, Name, Version, Purl string
	Hashes                    []struct{ Alg, Content string }
	Licenses                  []struct {
		License struct {
			Name string
			Text *struct{ Content, Encoding string }
		}
	}
	Properties []struct{ Name, Value string }
}

func parse(t *testing.T, text []byte) *list {
	t.Helper()
	var l list
	if err := json.Unmarshal(text, &l); err != nil {
		t.Fatal(err)
	}
	return &l
}

// The SBOM of programs built by the go command has their module information.
func TestPrograms(t *testing.T) {
	s := schema(t)
	var programs []Program
	for _, example := range []string{"vendored", "replace", "hello"} {
		file := filepath.Join(t.TempDir(), example)
		cmd := exec.Command("go", "build", "-o", file, ".")
		cmd.Dir = filepath.Join("../../../examples", example)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", example, err, out)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		info, err := buildinfo.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p := Program{Name: example, SHA256: sha256.Sum256(text), Info: info}
		programs = append(programs, p)
		one := write(t, []Program{p}, nil, nil)
		validate(t, s, one)
		l := parse(t, one)
		if l.Metadata.Component == nil || l.Metadata.Component.Name != example || len(l.Components) != len(info.Deps) || l.SerialNumber != "" || l.Metadata.Timestamp != "" {
			t.Errorf("%s: %s", example, one)
		}
		for _, dep := range info.Deps {
			if !slices.ContainsFunc(l.Components, func(c part) bool {
				return c.Name == dep.Path && (c.Version == dep.Version || dep.Replace != nil && c.Version == "")
			}) {
				t.Errorf("%s: %s is missing:\n%s", example, dep.Path, one)
			}
		}
	}
	all := write(t, programs, nil, nil)
	validate(t, s, all)
	slices.Reverse(programs)
	if again := write(t, programs, nil, nil); !bytes.Equal(all, again) {
		t.Errorf("another order gives another list:\n%s\n%s", all, again)
	}
	if l := parse(t, all); l.Metadata.Component != nil || len(l.Components) != 3+3 || len(l.Dependencies) != 3 {
		t.Errorf("of three programs: %s", all)
	}
	stamped := write(t, programs, nil, &Stamp{Serial: "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79", Time: "2024-01-02T03:04:05Z"})
	validate(t, s, stamped)
	if l := parse(t, stamped); l.SerialNumber == "" || l.Metadata.Timestamp == "" {
		t.Errorf("without stamp: %s", stamped)
	}
	// The schema does not accept an invalid document.
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(bytes.Replace(all, []byte(`"SHA-256"`), []byte(`"SHA-257"`), 1)))
	if err != nil {
		t.Fatal(err)
	}
	if s.Validate(doc) == nil {
		t.Error("the schema accepts a hash that there is not")
	}
}

func TestModules(t *testing.T) {
	s := schema(t)
	b64 := base64.StdEncoding.EncodeToString
	sum, tree := sha256.Sum256([]byte("sum")), sha256.Sum256([]byte("tree"))
	program := Program{Name: "x", Info: &debug.BuildInfo{
		Path: "example.com/x/cmd/x", GoVersion: "go1.26.0", Main: debug.Module{Path: "example.com/x", Version: "v1.0.0+dirty"},
		Deps: []*debug.Module{
			{Path: "github.com/Some/One/v2", Version: "v2.0.0", Sum: "h1:" + b64(sum[:])},
			{Path: "example.org/forked", Version: "v1.0.0", Replace: &debug.Module{Path: "example.org/fork", Version: "v1.1.0", Sum: "h1:" + b64(sum[:])}},
			{Path: "example.org/here", Version: "v1.0.0", Replace: &debug.Module{Path: "../here", Version: "(devel)"}},
			{Path: "example.org/work", Version: "(devel)"},
		},
	}}
	modules := map[string]Details{
		"github.com/Some/One/v2": {Version: "v2.0.0", Hash: "sha256-" + b64(tree[:]), Licenses: []License{{Name: "LICENSE", Text: []byte("Do.\n")}, {Name: "NOTICE"}}},
		"example.org/forked":     {Version: "v1.0.0"},
		"example.org/here":       {Version: "v1.0.0"},
		"example.org/work":       {Version: "(devel)"},
	}
	text := write(t, []Program{program}, modules, nil)
	validate(t, s, text)
	l := parse(t, text)
	var got []string
	for _, c := range append([]part{*l.Metadata.Component}, l.Components...) {
		line := c.Type + " " + c.Purl
		for _, h := range c.Hashes {
			switch h.Content {
			case hex.EncodeToString(sum[:]):
				line += " sum"
			case hex.EncodeToString(tree[:]):
				line += " tree"
			}
		}
		for _, l := range c.Licenses {
			line += " " + l.License.Name
			if text := l.License.Text; text != nil && text.Encoding == "base64" {
				decoded, err := base64.StdEncoding.DecodeString(text.Content)
				if err != nil {
					t.Fatal(err)
				}
				line += "=" + strings.TrimSpace(string(decoded))
			}
		}
		got = append(got, line)
	}
	want := []string{
		"application pkg:golang/example.com/x@v1.0.0%2Bdirty",
		"library pkg:golang/example.org/fork@v1.1.0 sum",
		"library pkg:golang/example.org/here",
		"library pkg:golang/example.org/work",
		"library pkg:golang/github.com/some/one/v2@v2.0.0 tree LICENSE=Do. NOTICE",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if d := l.Dependencies; len(d) != 1 || d[0].Ref != l.Metadata.Component.Ref || len(d[0].DependsOn) != 4 {
		t.Errorf("the dependencies are %+v", d)
	}

	for _, test := range []struct {
		change func()
		want   string
	}{
		{func() { modules["example.org/work"] = Details{Version: "v1.0.0"} }, "x: it is linked from example.org/work (devel), which is not in the list of modules"},
		{func() { delete(modules, "example.org/here") }, "x: it is linked from example.org/here v1.0.0, which is not in the list of modules"},
		{func() { modules["github.com/Some/One/v2"] = Details{Version: "v2.0.0", Hash: "sha256-AAAA"} }, "x: module github.com/Some/One/v2: the hash sha256-AAAA: it has 3 bytes, not 32"},
		{func() { program.Info.Deps[0].Sum = "h1:?" }, "x: module github.com/Some/One/v2: the checksum h1:?: illegal base64"},
	} {
		test.change()
		if _, err := New([]Program{program}, modules, nil); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("the error is %v, want %s", err, test.want)
		}
	}
	if _, err := New([]Program{program, program}, nil, nil); err == nil {
		t.Error("no error for two programs of one name")
	}
}
