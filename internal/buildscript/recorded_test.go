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

// TestRecorded parses scripts of several versions of Go, and prints the result as
// the go command does.
func TestRecorded(t *testing.T) {
	for _, file := range recordedFiles(t, "*", "*") {
		t.Run(strings.TrimPrefix(file, "testdata/scripts/"), func(t *testing.T) {
			t.Parallel()
			text := readRecorded(t, file)
			script, err := Parse(text, Options{})
			if err != nil {
				t.Fatal(err)
			}
			checkCover(t, text, script)
			for _, step := range script.Steps {
				want := fixText(step)
				if got := show(step); got != want {
					t.Errorf("line %d: parsed into\n%s\nprinted as\n%s", step.Line, got, want)
				}
			}
		})
	}
}

// TestRecordedMatrix checks that there are scripts of every Go and platform, with
// cgo and without, and that their contents agree with their names.
func TestRecordedMatrix(t *testing.T) {
	targets := []string{"linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64", "windows-amd64", "windows-arm64", "js-wasm"}
	for _, version := range []string{"go1.24", "go1.25", "go1.26", "go1.27"} {
		for _, target := range targets {
			// By the script's name, a word that only such a script has.
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

// inDir matches the names that fixCgoFiles and fixVetConfig correct.
var inDir = regexp.MustCompile(`( |\t\t")(\.|/src/[a-z/]+|/goroot/[a-z/]+)/\$WORK/`)

// fixText corrects the text of a command as fixCgoFiles and fixVetConfig do.
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

// checkCover checks that each line of the script belongs to a step or to a message,
// or is blank or a cd, and that the steps have the directories of the last cd.
func checkCover(t *testing.T, text string, script *Script) {
	t.Helper()
	steps, messages, dir := script.Steps, script.Messages, ""
	for line, rest := 1, text; rest != ""; {
		first, _, _ := strings.Cut(rest, "\n")
		cd, isCd := strings.CutPrefix(first, "cd ")
		taken := first // the lines that belong together
		switch {
		case len(steps) > 0 && steps[0].Line == line:
			if taken = steps[0].Text; steps[0].Dir != dir || steps[0].Action == nil {
				t.Fatalf("line %d: %+v, want the directory %q", line, steps[0], dir)
			}
			steps = steps[1:]
		case len(messages) > 0 && isMessage(first):
			taken, messages = messages[0], messages[1:]
			if strings.Contains(strings.ReplaceAll(taken, "\n\t", ""), "\n") {
				t.Fatalf("line %d is not a message: %q", line, taken)
			}
		case isCd:
			dir = cd
		case first != "":
			t.Fatalf("line %d is not accounted for: %q", line, first)
		}
		var ok bool
		if rest, ok = strings.CutPrefix(rest, taken+"\n"); !ok {
			t.Fatalf("line %d does not begin %q", line, taken)
		}
		line += strings.Count(taken, "\n") + 1
	}
	if len(steps) > 0 || len(messages) > 0 {
		t.Fatalf("%d steps and %d messages without a line", len(steps), len(messages))
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
