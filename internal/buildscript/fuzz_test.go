package buildscript

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// FuzzParse checks that each line and each word of a script is accounted for, or that
// the error names a line of it.
func FuzzParse(f *testing.F) {
	for _, piece := range pieces(f) {
		f.Add(piece)
	}
	f.Fuzz(func(t *testing.T, text string) {
		script, err := Parse(text, Options{Programs: []string{"ccache", "/opt/my cc"}})
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("not an *Error: %v", err)
			}
			if e.Line < 1 || e.Line > 1+strings.Count(text, "\n") {
				t.Fatalf("line %d of %q: %v", e.Line, text, err)
			}
			if line := strings.Split(text, "\n")[e.Line-1]; e.Text != line {
				t.Fatalf("line %d is %q, but the error shows %q", e.Line, line, e.Text)
			}
			return
		}
		checkCover(t, text, script)
		for _, step := range script.Steps {
			want := step.Text
			if strings.ContainsFunc(fmt.Sprint(step.Action), func(r rune) bool { return r >= 0x80 }) {
				continue // quoting depends on the version of Unicode
			}
			if strings.Contains(want, "/$WORK/") {
				continue // see fixCgoFiles and fixVetConfig
			}
			if w, ok := step.Action.(Write); ok && strings.HasPrefix(want, "cat ") && strings.Count(w.Text, "\n") == 1 {
				continue // the go command would have used echo
			}
			if got := show(step); got != want {
				t.Fatalf("line %d: parsed into\n%s\nprinted as\n%s", step.Line, got, want)
			}
		}
	})
}

// pieces returns parts of the recorded scripts, each with commands of a form that no
// other part has, and each of these commands by itself.
func pieces(t testing.TB) []string {
	var list []string
	seen := make(map[string]bool)
	for _, version := range []string{"go1.27", "go1.24"} {
		for _, file := range recordedFiles(t, version, "*") {
			script, err := Parse(readRecorded(t, file), Options{})
			if err != nil {
				t.Fatal(err)
			}
			piece, dir, fresh := "", "", false
			for _, step := range script.Steps {
				if _, ok := step.Action.(Banner); ok || len(piece) > 2000 {
					if fresh {
						list = append(list, piece)
					}
					piece, dir, fresh = "", "", false
				}
				cd := ""
				if step.Dir != dir {
					dir = step.Dir
					cd = "cd " + dir + "\n"
				}
				piece += cd + step.Text + "\n"
				if form := form(step); !seen[form] && len(step.Text) < 2000 {
					seen[form], fresh = true, true
					list = append(list, cd+step.Text+"\n")
				}
			}
			if fresh {
				list = append(list, piece)
			}
		}
	}
	return list
}

// form returns a key that is the same for steps of the same form.
func form(step Step) string {
	switch a := step.Action.(type) {
	case Run:
		if a.Tool == "" {
			return fmt.Sprint("run ", a.Env, a.Args[0])
		}
		return fmt.Sprint("run ", a.Env, a.Tool)
	case Write:
		_, base := cutBase(a.Path)
		return step.Text[:6] + base
	}
	return fmt.Sprintf("%T", step.Action)
}

// FuzzReadBack prints commands as the go command does, and checks that Parse returns
// the same commands or an error.
func FuzzReadBack(f *testing.F) {
	f.Add("p", "x.go", "x.h", "value", "arg", "text\n")
	f.Add("p p", "x y.go", "a b", "it's", "", "two\nlines\n")
	f.Add("a'b", "$(id).go", "a $WORK/b", "a\"b'c", "-I /src/p/x", "{\n}")
	f.Add("p", "x $WORK", "x\ny", "\\", "# internal", "EOF\n")
	f.Add("p", "|| true", "' > ", "'", "a /src/p", "a\nEOF\nb\n")
	f.Add("p/", ".x", "\x00", "\xff", "\r", "\r\n\n")
	f.Add(".", "..", "../x", " ", "./x y", "\\\n\n")
	f.Fuzz(func(t *testing.T, dirName, name, name2, value, arg, text string) {
		// No file name and no argument has a NUL.
		for _, s := range []string{dirName, name, name2, arg} {
			if strings.Contains(s, "\x00") {
				t.Skip()
			}
		}
		if name == "" || name2 == "" || strings.Contains(name+name2, "/") {
			t.Skip()
		}
		// The caller of the go command must not choose such directories and flags.
		if strings.Contains(dirName, "$WORK") || strings.Contains(dirName, "\n") || strings.Contains(arg, "$WORK") {
			t.Skip()
		}
		// The go command makes no such values and texts.
		if strings.ContainsAny(value, "\n\x00") || strings.Contains(text, "EOF\ncat >$WORK/") {
			t.Skip()
		}
		// A text of the go command's that does not end in a newline is indented JSON.
		if !strings.HasSuffix(text, "\n") && text != "" && (!strings.HasPrefix(text, "{\n") || !strings.HasSuffix(text, "\n}")) {
			t.Skip()
		}
		dir := "/src/" + dirName
		if strings.HasSuffix(dirName, "/") {
			dir = "$WORK/b001/"
		}

		// Undot does not expand two dots.
		if strings.Contains(" "+arg+" "+value, " "+dir+".") {
			t.Skip()
		}

		var b strings.Builder
		var want []Action
		scriptDir := ""
		print := func(dir, cmd string, a Action) {
			if dir != "" {
				if dir != scriptDir {
					fmt.Fprintf(&b, "cd %s\n", dir)
					scriptDir = dir
				}
				dot := " ."
				if strings.HasSuffix(dir, "/") {
					dot = " ./"
				}
				cmd = strings.ReplaceAll(" "+cmd, " "+dir, dot)[1:]
			}
			fmt.Fprintf(&b, "%s\n", cmd)
			want = append(want, a)
		}
		printStep := func(dir string, a Action) { print(dir, show(Step{Action: a}), a) }

		printStep("", Mkdir{Path: dir})
		printStep("", Banner{ImportPath: "example.com/p"})
		printStep("", Write{Path: "$WORK/b001/importcfg", Text: text})
		printStep("", Copy{From: dir + "/" + name, To: "$WORK/b001/" + name})
		printStep("", Move{From: "$WORK/b001/" + name2, To: "$WORK/b001/_" + name2})
		printStep("", Move{From: "$WORK/b001/exe/a.out", To: dir + "/" + strings.ReplaceAll(name, "\n", "")})
		printStep("", Remove{Paths: []string{"$WORK/b001/"}})
		printStep(dir, Run{
			Env:  []string{"TERM=dumb", "X=" + value},
			Args: []string{"gcc", "-I", dir, "-I" + dir, arg, "-o", "$WORK/b001/" + name + ".o", dir + "/" + name},
		})
		printStep("$WORK", Probe{Args: []string{"gcc", arg, "-o", "/dev/null"}})
		printStep(dir, Run{Tool: "pack", Args: []string{"go", "tool", "pack", "r", "$WORK/b001/_pkg_.a", dir + "/" + name}})
		printStep("", LinkTest{Args: []string{"gcc", arg, "-o", "$WORK/b001/" + name}, Result: "succeeded"})

		if flag := "-test.run=" + value; !strings.Contains(flag, " ") { // see splitTest
			printStep("", Test{Program: "$WORK/b001/p.test", Args: []string{"-test.paniconexit0", flag}})
		}

		script, err := Parse(b.String(), Options{})
		if err != nil {
			if graphic.MatchString(dirName+name+name2+value+arg) && plainText.MatchString(text) && !strings.Contains(name+name2+value+text, "$WORK") {
				t.Fatalf("%v\nin\n%s", err, b.String())
			}
			return
		}
		if len(script.Steps) != len(want) {
			t.Fatalf("%d steps, want %d:\n%s", len(script.Steps), len(want), b.String())
		}
		for i, step := range script.Steps {
			got := step.Action
			if step.Shortened {
				got = undot(got, step.Dir)
			}
			if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want[i]) {
				if strings.HasPrefix(arg, ".") {
					continue // looks like a shortened word: see Undot
				}
				t.Fatalf("line %d\n%s\nis parsed into\n%#v\nwant\n%#v", step.Line, step.Text, got, want[i])
			}
		}
	})
}

var (
	// graphic matches words that must be read back, however odd they are.
	graphic = regexp.MustCompile(`^[!-~]*$`)
	// plainText matches texts that must be read back.
	plainText = regexp.MustCompile(`^([ -DF-~]*\n)*$`)
)

// undot undoes the shortening in all words of a command.
func undot(a Action, dir string) Action {
	words := func(list []string) []string {
		list = slices.Clone(list)
		for i, word := range list {
			list[i] = Undot(dir, word)
		}
		return list
	}
	switch a := a.(type) {
	case Run:
		a.Args = words(a.Args)
		return a
	case Probe:
		a.Args = words(a.Args)
		return a
	}
	return a
}
