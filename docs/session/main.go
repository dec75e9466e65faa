// Session records the terminal session that the README shows: it runs the
// commands on a copy of the program in demo, and writes what they print as an
// SVG to docs/session.svg. It is called at the root of this project:
//
//	./with-nix go run ./docs/session
package main

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// A step is a command as it is shown, and what is kept of its output.
type step struct {
	comment string // shown above the command
	command string
	keep    func(output string) []string
}

var session = []step{
	{"", "grep -A4 buildGoModule default.nix", lines},
	{"the first build", "nix-build", built},
	{"", "result/bin/shop", lines},
	{"an edit in the package that all others import", "sed -i 's/ USD/ EUR/' price/price.go", lines},
	{"", "nix-build", built},
	{"", "result/bin/shop", lines},
	{"what go build compiles for the same edit", "go build -v -o /dev/null", lines},
}

const expression = `{ pkgs ? import <nixpkgs> { } }:
let
  dgd = import %s { inherit pkgs; };
in
dgd.buildGoModule {
  pname = "shop"; version = "1.0.0";
  src = ./.;
  vendorHash = null; # no modules
}
`

func main() {
	log.SetFlags(0)
	log.SetPrefix("session: ")
	if err := run(context.Background(), "docs/session/demo", "docs/session.svg"); err != nil {
		log.Fatal(err)
	}
}

// run records the session with a copy of the program in demo.
func run(ctx context.Context, demo, svg string) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "dgd-session-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	work := filepath.Join(dir, "shop")
	if err := os.CopyFS(work, os.DirFS(demo)); err != nil {
		return fmt.Errorf("%w (call it at the root of the project)", err)
	}
	if err := os.WriteFile(filepath.Join(work, "default.nix"), fmt.Appendf(nil, expression, root), 0o666); err != nil {
		return err
	}
	// dgd's own programs and the standard library are built before, and go build has built the program before the edit.
	// No cache has what is compiled otherwise. There is a link to an earlier result, as in a directory that is worked in.
	const prepare = `for f in *.go */*.go; do printf 'const Recorded = "%%s"\n' $RANDOM$RANDOM >> $f; done
nix-build %s -A examples.hello && go build -o /dev/null`
	if out, err := call(ctx, work, fmt.Sprintf(prepare, root)); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	var shown []line
	for _, s := range session {
		out, err := call(ctx, work, s.command)
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", s.command, err, out)
		}
		if s.comment != "" {
			shown = append(shown, line{"", "empty"}, line{"# " + s.comment, "comment"})
		}
		shown = append(shown, line{"$ " + s.command, "command"})
		for _, text := range s.keep(out) {
			shown = append(shown, line{text, "output"})
		}
	}
	return os.WriteFile(svg, draw(shown), 0o666)
}

func call(ctx context.Context, dir, command string) (string, error) {
	cmd := exec.CommandContext(ctx, "bash", "-c", command)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func lines(output string) []string {
	return strings.FieldsFunc(output, func(r rune) bool { return r == '\n' })
}

var building = regexp.MustCompile(`(?m)^building '/nix/store/[0-9a-z]{32}-(.*)\.drv'`)

// built keeps what was built, by its name without the hash.
func built(output string) []string {
	var list []string
	for _, m := range building.FindAllStringSubmatch(output, -1) {
		list = append(list, "building "+m[1])
	}
	return list
}

// A line of the picture, and its class there.
type line struct{ text, class string }

const (
	width      = 760
	lineHeight = 18
	margin     = 40
)

// draw returns an SVG that shows the lines one after the other. A viewer without
// animations shows all.
func draw(list []line) []byte {
	var b bytes.Buffer
	height := margin + len(list)*lineHeight + lineHeight
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="img">
<title>A terminal session: a build with dgd, an edit, and the build after it</title>
<style>
text { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #c9d1d9; white-space: pre; animation: show 0.1s both; }
.command { fill: #ffffff; font-weight: bold; }
.comment { fill: #8b949e; }
@keyframes show { from { opacity: 0; } to { opacity: 1; } }
@media (prefers-reduced-motion: reduce) { text { animation: none; } }
</style>
<rect width="100%%" height="100%%" rx="8" fill="#0d1117"/>
<circle cx="18" cy="16" r="5" fill="#ff5f57"/><circle cx="36" cy="16" r="5" fill="#febc2e"/><circle cx="54" cy="16" r="5" fill="#28c840"/>
`, width, height)
	at := 0.0
	for i, l := range list {
		switch l.class {
		case "command":
			at += 0.8
		case "output":
			at += 0.12
		}
		if l.text == "" {
			continue
		}
		fmt.Fprintf(&b, `<text class="%s" x="16" y="%d" style="animation-delay: %.2fs">%s</text>`+"\n",
			l.class, margin+i*lineHeight+lineHeight/2, at, html.EscapeString(l.text))
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}
