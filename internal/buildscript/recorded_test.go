package buildscript

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestRecorded parses what several versions of Go have printed, and prints it
// again from what it was parsed into.
func TestRecorded(t *testing.T) {
	for _, file := range recordedFiles(t, "*", "*") {
		t.Run(strings.TrimPrefix(file, "testdata/scripts/"), func(t *testing.T) {
			t.Parallel()
			text := readRecorded(t, file)
			p := newParser(text, Options{})
			if err := p.parse(); err != nil {
				t.Fatal(err)
			}
			checkCover(t, p)
			for _, step := range p.steps {
				want := fixText(step)
				if got := show(step); got != want {
					t.Errorf("line %d: parsed into\n%s\nprinted as\n%s", step.Line, got, want)
				}
			}
		})
	}
}

// TestRecordedMatrix checks that there are scripts of every Go and platform,
// with cgo and without, and that they are what they are named after.
func TestRecordedMatrix(t *testing.T) {
	targets := []string{"linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64", "windows-amd64", "windows-arm64", "js-wasm"}
	for _, version := range []string{"go1.24", "go1.25", "go1.26", "go1.27"} {
		for _, target := range targets {
			// By the script's name, what only such a script has.
			has := map[string]string{"pure": "/compile ", "cgo": "/cgo ", "pgo-cover": "/cover ", "pure-race": "/compile "}
			flag := map[string]string{"pgo-cover": " -pgoprofile=", "pure-race": " -race "}
			switch target {
			case "windows-arm64": // Go has no race detector for it
				delete(has, "pure-race")
			case "js-wasm": // nor, here, cgo
				delete(has, "pure-race")
				delete(has, "cgo")
			}
			for name, tool := range has {
				for _, file := range recordedFiles(t, version, target+"-"+name) {
					if text := readRecorded(t, file); !strings.Contains(text, tool) || !strings.Contains(text, flag[name]) {
						t.Errorf("%s has no %q, or no %q", file, tool, flag[name])
					}
				}
			}
		}
	}
}

// inDir matches the names that fixCgoFiles and fixVetConfig repair.
var inDir = regexp.MustCompile(`( |\t\t")(\.|/src/[a-z/]+|/goroot/[a-z/]+)/\$WORK/`)

// fixText repairs the text of a command as fixCgoFiles and fixVetConfig do.
func fixText(step Step) string {
	switch a := step.Action.(type) {
	case Run:
		if a.Tool == "cgo" {
			return inDir.ReplaceAllString(step.Text, "$1$$WORK/")
		}
	case Write:
		if strings.HasSuffix(a.Path, "/vet.cfg") {
			return inDir.ReplaceAllString(step.Text, "$1$$WORK/")
		}
	}
	return step.Text
}

// checkCover checks that the spans cover all lines, and agree with the steps.
func checkCover(t *testing.T, p *parser) {
	t.Helper()
	lines := strings.SplitAfter(p.text, "\n")
	lines = lines[:len(lines)-1] // the script ends in a newline, or is empty
	next := 1
	steps := p.steps
	for _, s := range p.spans {
		if s.line != next || s.lines < 1 || next+s.lines-1 > len(lines) {
			t.Fatalf("span of %d lines at line %d, want line %d (of %d)", s.lines, s.line, next, len(lines))
		}
		text := strings.Join(lines[next-1:next-1+s.lines], "")
		text = text[:len(text)-1]
		switch s.kind {
		case blankSpan:
			if text != "" {
				t.Fatalf("line %d is taken for blank: %q", s.line, text)
			}
		case cdSpan:
			if !strings.HasPrefix(text, "cd ") || s.lines != 1 {
				t.Fatalf("line %d is taken for cd: %q", s.line, text)
			}
		case messageSpan:
			if !isMessage(text) || strings.Contains(strings.ReplaceAll(text, "\n\t", ""), "\n") {
				t.Fatalf("line %d is taken for a message: %q", s.line, text)
			}
		case stepSpan:
			if len(steps) == 0 || steps[0].Line != s.line || steps[0].Text != text || steps[0].Action == nil {
				t.Fatalf("line %d is not a step with the text %q", s.line, text)
			}
			steps = steps[1:]
		}
		next += s.lines
	}
	if next != len(lines)+1 {
		t.Fatalf("lines %d to %d are not accounted for", next, len(lines))
	}
	if len(steps) > 0 {
		t.Fatalf("%d steps without a line", len(steps))
	}
}

// show prints a step as the go command does.
func show(s Step) string {
	switch a := s.Action.(type) {
	case Banner:
		return "#\n# " + a.ImportPath + "\n#"
	case Mkdir:
		return "mkdir -p " + a.Path
	case Write:
		switch {
		case a.Text == "":
			return fmt.Sprintf("echo -n > %s # internal", a.Path)
		case strings.Index(a.Text, "\n") == len(a.Text)-1:
			return fmt.Sprintf("echo '%s' > %s # internal", strings.TrimSuffix(a.Text, "\n"), a.Path)
		}
		return fmt.Sprintf("cat >%s << 'EOF' # internal\n%sEOF", a.Path, a.Text)
	case Copy:
		return fmt.Sprintf("cp %s %s", a.From, a.To)
	case Move:
		return fmt.Sprintf("mv %s %s", a.From, a.To)
	case Symlink:
		return fmt.Sprintf("ln -s %s %s", a.Old, a.New)
	case Remove:
		flag := "-rf"
		if strings.HasPrefix(s.Text, "rm -f ") {
			flag = "-f"
		}
		return fmt.Sprintf("rm %s %s", flag, strings.Join(a.Paths, " "))
	case Run:
		line := showWords(a.Args)
		if a.Tool == "pack" || a.Tool == "buildid" {
			line += " # internal"
		}
		for _, e := range slices.Backward(a.Env) {
			name, value, _ := strings.Cut(e, "=")
			if strings.Contains(value, "'") {
				line = fmt.Sprintf("%s=%q %s", name, value, line)
			} else {
				line = fmt.Sprintf("%s='%s' %s", name, value, line)
			}
		}
		return line
	case Probe:
		return showWords(a.Args) + " || true"
	case Test: // without any quoting
		return strings.Join(append([]string{a.Program}, a.Args...), " ")
	case LinkTest:
		return fmt.Sprintf("%s # test for internal linking errors (%s)", showWords(a.Args), a.Result)
	}
	return fmt.Sprintf("%#v", s.Action)
}

// showWords is the go command's joinUnambiguously.
func showWords(words []string) string {
	var list []string
	for _, word := range words {
		if q := strconv.Quote(word); word == "" || strings.ContainsAny(word, " ()>;") || len(q) > len(word)+2 {
			word = q
		}
		list = append(list, word)
	}
	return strings.Join(list, " ")
}

func recordedFiles(t testing.TB, version, script string) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/scripts/" + version + "/" + script + ".txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no recorded scripts %s/%s", version, script)
	}
	return files
}

func readRecorded(t testing.TB, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return string(text)
}

func BenchmarkParse(b *testing.B) {
	text := readRecorded(b, "testdata/scripts/go1.26/linux-amd64-net.txt.gz")
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
