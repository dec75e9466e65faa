package buildscript

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Options are settings of Parse.
type Options struct {
	// Programs are further programs that Run, Probe and LinkTest accept as
	// Args[0]: the first word of $CC, $CXX, $FC, $PKG_CONFIG or of -toolexec.
	// gcc, g++, cc, c++, clang, clang++, gfortran, pkg-config and swig are
	// accepted without being named here, in any directory, with a target
	// prefix (aarch64-linux-gnu-gcc) or a version suffix (gcc-12).
	Programs []string
}

// An Error reports a line of the script that Parse does not understand.
type Error struct {
	Line int    // 1-based
	Text string // the line
	Msg  string // the reason
}

// maxErrorText is the number of bytes of a line, at most, in an error message:
// compile commands can be very long.
const maxErrorText = 400

func (e *Error) Error() string {
	text := e.Text
	if len(text) > maxErrorText {
		text = fmt.Sprintf("%s... (%d bytes)", strings.ToValidUTF8(text[:maxErrorText], ""), len(e.Text))
	}
	return fmt.Sprintf("go build -n, line %d: %s: %s", e.Line, e.Msg, text)
}

// Parse parses the output of `go build -n` or `go test -n`, with -c or without.
//
// The text is all that the go command prints on standard error with an empty build
// cache. A line that does not have one of these forms is an *Error:
//
//	(an empty line)
//	go: TEXT                                a message, and indented lines
//	warning: TEXT                           the same
//	#                                       a banner, three lines
//	cd DIR
//	mkdir -p PATH
//	cat >PATH << 'EOF' # internal           and text up to EOF
//	echo -n > PATH # internal
//	echo 'TEXT' > PATH # internal
//	cp FROM TO
//	mv FROM TO
//	ln -s OLD NEW
//	rm -rf PATH...
//	[NAME=VALUE]... PROGRAM [ARG]...
//	PROGRAM [ARG]... || true
//	PROGRAM [ARG]... # internal             pack and buildid only
//	PROGRAM [ARG]... # test for internal linking errors (succeeded)
//	$WORK/DIR/NAME.test [ARG]...            the run of a test program
//
// Each command is parsed twice, by the go command's rules of printing and by a
// shell's parser, and the two results must agree: see checkShell.
//
// Names that the go command prints wrongly under -n, but not in a real build, are
// corrected: see fixCgoFiles and fixVetConfig.
func Parse(text string, opt Options) (*Script, error) {
	p := newParser(text, opt)
	if err := p.parse(); err != nil {
		return nil, err
	}
	return &Script{Steps: p.steps, Messages: p.messages}, nil
}

type parser struct {
	text     string // the script
	pos      int    // offset of the next line in text
	line     int    // number of the lines before pos
	dir      string // argument of the last cd
	programs map[string]bool
	shell    *syntax.Parser
	steps    []Step
	messages []string
}

func newParser(text string, opt Options) *parser {
	p := &parser{
		text:     text,
		programs: make(map[string]bool),
		shell:    syntax.NewParser(syntax.Variant(syntax.LangPOSIX), syntax.KeepComments(true)),
	}
	for _, name := range opt.Programs {
		p.programs[name] = true
	}
	return p
}

// parse parses all commands of the script.
func (p *parser) parse() error {
	for p.pos < len(p.text) {
		start, first := p.pos, p.line+1
		line, err := p.next()
		if err == nil {
			err = p.command(start, first, line)
		}
		if err != nil {
			return &Error{Line: first, Text: line, Msg: err.Error()}
		}
	}
	return nil
}

// next returns the next line without its newline.
func (p *parser) next() (string, error) {
	line, _, ok := strings.Cut(p.text[p.pos:], "\n")
	p.pos += len(line)
	p.line++
	if !ok {
		return line, errors.New("the script is cut off: its last line does not end")
	}
	p.pos++
	return line, nil
}

// command parses the command that begins with line, which has the number first
// and begins at offset start.
func (p *parser) command(start, first int, line string) error {
	var step Step
	switch dir, isCd := strings.CutPrefix(line, "cd "); {
	case line == "":
		return nil
	case isCd:
		c := command{args: []string{"cd", dir}}
		if err := cmp.Or(checkPath(dir), p.checkShell(c, line+"\n")); err != nil {
			return err
		}
		p.dir = dir
		return nil
	case isMessage(line):
		p.message(line)
		return nil
	case line == "#":
		path, err := p.banner()
		if err != nil {
			return err
		}
		step.Action = Banner{ImportPath: path}
	default:
		c, err := p.split(line)
		if err != nil {
			return err
		}
		if err := p.checkShell(c, p.text[start:p.pos]); err != nil {
			return err
		}
		if err := p.act(&step, c); err != nil {
			return err
		}
	}
	step.Line = first
	step.Text = p.text[start : p.pos-1]
	step.Dir = p.dir
	p.steps = append(p.steps, step)
	return nil
}

// isMessage reports whether the line is a message of the go command to its user. No
// command begins like one.
func isMessage(line string) bool {
	return strings.HasPrefix(line, "go: ") || strings.HasPrefix(line, "warning: ")
}

// message adds the message that begins with line and has the indented lines after it.
func (p *parser) message(line string) {
	for strings.HasPrefix(p.text[p.pos:], "\t") {
		more, err := p.next()
		line += "\n" + more
		if err != nil {
			break
		}
	}
	p.messages = append(p.messages, line)
}

// banner parses the rest of a package's header and returns the import path. The go
// command prints the header as "\n#\n# %s\n#\n\n".
func (p *parser) banner() (string, error) {
	line, err := p.next()
	if err != nil {
		return "", err
	}
	path, ok := strings.CutPrefix(line, "# ")
	if !ok || path == "" {
		return "", errors.New("incomplete package header")
	}
	if err := checkPath(path); err != nil {
		return "", err
	}
	if line, err = p.next(); err != nil {
		return "", err
	}
	if line != "#" {
		return "", errors.New("incomplete package header")
	}
	return path, nil
}

// act sets the action of step to that of the command c.
func (p *parser) act(step *Step, c command) error {
	if c.run {
		return p.run(step, c)
	}
	switch c.args[0] {
	case "mkdir":
		step.Action = Mkdir{Path: c.args[2]}
	case "cp":
		step.Action = Copy{From: c.args[1], To: c.args[2]}
	case "mv":
		step.Action = Move{From: c.args[1], To: c.args[2]}
	case "ln":
		step.Action = Symlink{Old: c.args[2], New: c.args[3]}
	case "rm":
		step.Action = Remove{Paths: c.args[2:]}
	case "cat":
		text := c.text
		if strings.HasSuffix(c.to, "/vet.cfg") {
			text = fixVetConfig(text)
		}
		step.Action = Write{Path: c.to, Text: text}
		return checkWrite(c.to, text)
	case "echo":
		text := ""
		if c.args[1] != "-n" {
			text = c.args[1] + "\n"
		}
		step.Action = Write{Path: c.to, Text: text}
		return checkWrite(c.to, text)
	default:
		step.Action = Test{Program: c.args[0], Args: c.args[1:]}
	}
	return nil
}

// run sets the action of step to running the program of the command c.
func (p *parser) run(step *Step, c command) error {
	// In a real build the go command does the work of pack and buildid itself.
	if internal := c.tool == "pack" || c.tool == "buildid"; internal != (c.tail == tailInternal) {
		return fmt.Errorf("the comment %q is expected after pack and buildid, and only there", tailInternal)
	}
	if c.tool == "cgo" {
		fixCgoFiles(p.dir, c.args)
	}
	if err := cmp.Or(checkWords(c.env), checkWords(c.args)); err != nil {
		return err
	}
	// buildid and the linking test are printed without a directory.
	step.Shortened = c.tool != "buildid" && !strings.HasPrefix(c.tail, tailLinkTest)
	if step.Shortened {
		if err := checkShortened(p.dir, c); err != nil {
			return err
		}
	}
	if c.tail == tailNone || c.tail == tailInternal {
		step.Action = Run{Env: c.env, Tool: c.tool, Args: c.args}
		return nil
	}
	if c.tool != "" || len(c.env) > 0 {
		return fmt.Errorf("only a C compiler is expected before %q", c.tail)
	}
	if c.tail == tailProbe {
		step.Action = Probe{Args: c.args}
		return nil
	}
	result := strings.TrimSuffix(strings.TrimPrefix(c.tail, tailLinkTest), ")")
	step.Action = LinkTest{Args: c.args, Result: result}
	return nil
}

// tools are the tools of the Go toolchain that a script may run.
var tools = map[string]bool{
	"asm":        true,
	"buildid":    true,
	"cgo":        true,
	"compile":    true,
	"covdata":    true,
	"cover":      true,
	"link":       true,
	"pack":       true,
	"preprofile": true,
	"vet":        true,
}

// toolName returns the name of the Go tool that a command runs, or "" if it runs
// another program. An unknown tool is an error.
func toolName(args []string) (string, error) {
	name := prebuiltTool(args[0])
	if name == "" {
		if !isGo(args[0]) {
			return "", nil
		}
		if len(args) < 3 || args[1] != "tool" {
			return "", errors.New(`of the go command only "go tool NAME" is expected`)
		}
		name = args[2]
	}
	if !tools[name] {
		return "", fmt.Errorf("unknown Go tool %q", name)
	}
	return name, nil
}

// prebuiltTool returns NAME of a path …/pkg/tool/GOOS_GOARCH/NAME, or "" for other
// paths.
func prebuiltTool(path string) string {
	dir, name := cutBase(path)
	dir, target := cutBase(dir)
	if !strings.HasSuffix(dir, "/pkg/tool") || !strings.Contains(target, "_") {
		return ""
	}
	return strings.TrimSuffix(name, ".exe")
}

// isGo reports whether program is the go command or a tool of the toolchain.
func isGo(program string) bool {
	_, base := cutBase(program)
	return base == "go" || base == "go.exe" || prebuiltTool(program) != ""
}

// compilerName matches the base names of programs, beside the toolchain's, that a
// script may run although they are not in Options.Programs.
var compilerName = regexp.MustCompile(`^(([A-Za-z0-9_.+-]+-)?(gcc|g\+\+|cc|c\+\+|clang|clang\+\+|gfortran|pkg-config)(-[0-9.]+)?(\.exe)?|swig)$`)

// known reports whether the script may run a program that is not the toolchain's.
func (p *parser) known(program string) bool {
	_, base := cutBase(program)
	return p.programs[program] || p.programs[Undot(p.dir, program)] || compilerName.MatchString(base)
}

// cutBase cuts a path at its last slash.
func cutBase(path string) (dir, base string) {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)], path[i+1:]
}
