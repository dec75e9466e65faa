package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dgd/internal/action"
	"dgd/internal/buildscript"
)

// mkdir reads `mkdir -p`. It ignores object directories, which the executor makes, and
// the directory for the programs, which is the derivation's output.
func (b *builder) mkdir(a buildscript.Mkdir) error {
	p := strings.TrimSuffix(a.Path, "/")
	if !strings.HasPrefix(p, "$WORK/") || isObjdir(p) || isObjdir(strings.TrimSuffix(p, "/exe")) {
		return nil
	}
	u, err := b.unit(p, Package)
	if err != nil {
		return err
	}
	dir, err := b.token(u, p+"/")
	if err != nil {
		return err
	}
	u.add(action.Step{Mkdir: dir})
	return nil
}

// write reads a file that cmd/go writes itself.
func (b *builder) write(a buildscript.Write) error {
	objdir, err := objdirOf(a.Path)
	if err != nil {
		return err
	}
	name := strings.TrimPrefix(a.Path, objdir+"/")
	kind := Package
	if name == "importcfg.link" {
		kind = Link
	}
	u, err := b.unit(a.Path, kind)
	if err != nil {
		return err
	}
	var text string
	switch name {
	case "importcfg", "importcfg.link":
		text, err = b.importConfig(u, a.Text)
	case "embedcfg":
		text, err = b.embedConfig(u, a.Text)
	case "go_asm.h", "preferlinkext":
		if a.Text != "" {
			return fmt.Errorf("expected %s to be empty", name)
		}
	case "pkgcfg.txt":
		text, err = b.coverConfig(u, a.Text)
	case "coveroutfiles.txt":
		text, err = b.coverFiles(u, a.Text)
	case "_gomod_.go":
		text = action.Escape(a.Text)
	default:
		return fmt.Errorf("dgd does not know what the file %s is for", name)
	}
	if err != nil {
		return err
	}
	u.written[name] = true
	u.add(action.Step{Write: &action.Write{Path: "${OBJ}/" + action.Escape(name), Text: text}})
	return nil
}

// importConfig returns an import config with tokens in place of files: the packages
// that a compile imports, or those that a program is linked from.
func (b *builder) importConfig(u *unit, text string) (string, error) {
	var out strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		verb, rest, _ := strings.Cut(line, " ")
		switch verb {
		case "packagefile":
			name, file, ok := strings.Cut(rest, "=")
			if !ok {
				return "", fmt.Errorf("import config: %q has no file", line)
			}
			if u.node.Kind == Package && name == b.banner {
				continue // see New
			}
			ref, ok := b.byFile[file]
			if !ok || ref.Output != Archive {
				return "", fmt.Errorf("import config: %s is from %s, which no earlier command has made", name, file)
			}
			if u.node.Kind == Package {
				ref.Output = Export
			}
			fmt.Fprintf(&out, "packagefile %s=%s\n", action.Escape(name), u.ref(ref))
		case "", "#", "importmap", "modinfo":
			out.WriteString(action.Escape(line) + "\n")
		default:
			return "", fmt.Errorf("import config: dgd does not know what %q means", line)
		}
	}
	return out.String(), nil
}

// embedConfig returns an embed config with tokens in place of the embedded files.
func (b *builder) embedConfig(u *unit, text string) (string, error) {
	var cfg struct {
		Patterns map[string][]string
		Files    map[string]string
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&cfg); err != nil {
		return "", fmt.Errorf("embed config: %w", err)
	}
	names := slices.Sorted(maps.Keys(cfg.Files))
	for _, name := range names {
		b.addFile(u, cfg.Files[name])
	}
	// The values of tokens need no escapes in JSON.
	files := map[string]string{}
	for _, name := range names {
		t, err := b.token(u, cfg.Files[name])
		if err != nil {
			return "", err
		}
		files[action.Escape(name)] = t
	}
	patterns := map[string][]string{}
	for p, list := range cfg.Patterns {
		patterns[action.Escape(p)] = EscapeAll(list)
	}
	cfg.Patterns, cfg.Files = patterns, files
	data, err := json.Marshal(cfg)
	return string(data), err
}

// copy reads `cp`, which copies headers named after the target to names without it.
func (b *builder) copy(a buildscript.Copy) error {
	u, err := b.unit(a.To, Package)
	if err != nil {
		return err
	}
	b.addFile(u, a.From)
	u.native()
	from, err := b.token(u, a.From)
	if err != nil {
		return err
	}
	u.written[strings.TrimPrefix(a.To, u.objdir+"/")] = true
	to, err := b.token(u, a.To)
	if err != nil {
		return err
	}
	u.add(action.Step{Copy: &action.Copy{From: from, To: to}})
	return nil
}

// compile reads `compile`. Export data and object code go to two files.
func (b *builder) compile(a buildscript.Run) error {
	u, _, err := b.writer(a.Args, "-o", Package)
	if err != nil {
		return err
	}
	if u.done {
		return errors.New("a second compile for the same object directory")
	}
	if u.dynLink != nil {
		return errors.New("compiles a cgo package whose linking test is missing")
	}
	words, err := b.words(u, a.Args)
	if err != nil {
		return err
	}
	var args, ifExists []string
	sources := false
	for i := 0; i < len(words); i++ {
		w := words[i]
		switch {
		case w == "-o":
			i++
			if words[i] != u.objdir+"/_pkg_.a" {
				return fmt.Errorf("compiles to %s instead of _pkg_.a", words[i])
			}
			args = append(args, "-o", "${EXPORT}", "-linkobj", "${ARCHIVE}")
			continue
		case w == "-linkobj":
			return errors.New("already has -linkobj")
		case w == "-buildid":
			i++ // hashes the sources
			continue
		case strings.HasPrefix(w, "-c="):
			continue // follows from the planner's number of cores
		case w == "-asmhdr" && i+1 < len(words):
			u.written[strings.TrimPrefix(words[i+1], u.objdir+"/")] = true
		case w == u.objdir+"/"+testMain:
			sources = true
			b.testMain(u)
		case b.isSource(w):
			if !b.isKnown(w) {
				return fmt.Errorf("compiles %s, which is neither in the sources nor in GOROOT", w)
			}
			sources = true
			b.addSource(u, w)
		case w == "-std":
			u.node.Std = true
		}
		t, err := b.token(u, w)
		if err != nil {
			return err
		}
		if w == u.objdir+"/_cgo_import.go" {
			ifExists = append(ifExists, t)
		}
		args = append(args, t)
	}
	if !sources {
		return errors.New("compiles no Go file")
	}
	u.add(action.Step{Run: &action.Run{
		Env:      b.toolEnv(a.Env),
		Args:     args,
		IfExists: ifExists,
		Parallel: true,
	}})
	if b.banner == "" {
		return errors.New("compiles before any package's header")
	}
	u.node.Name = b.banner
	b.finish(u, u.objdir+"/_pkg_.a", Export, Archive)
	return nil
}

// asm reads `asm`, which makes an object file or lists the ABIs of symbols.
func (b *builder) asm(a buildscript.Run) error {
	u, out, err := b.writer(a.Args, "-o", Package)
	if err != nil {
		return err
	}
	words, err := b.words(u, a.Args)
	if err != nil {
		return err
	}
	u.written[strings.TrimPrefix(out, u.objdir+"/")] = true
	for _, w := range words[1:] {
		if strings.HasSuffix(w, ".s") && !strings.HasPrefix(w, "-") {
			b.addSource(u, w)
		}
	}
	u.native()
	args, err := b.tokens(u, words)
	if err != nil {
		return err
	}
	run := action.Step{Run: &action.Run{Env: b.toolEnv(a.Env), Args: args}}
	if slices.Contains(words, "-gensymabis") {
		u.add(run)
	} else {
		u.addBeside(run)
	}
	return nil
}

// pack reads `pack r ARCHIVE FILE…`, which appends objects to a package's archive.
func (b *builder) pack(a buildscript.Run) error {
	i := slices.Index(a.Args, "r")
	if i < 0 || i+2 >= len(a.Args) {
		return errors.New("expected `pack r ARCHIVE FILE…`")
	}
	args := a.Args[i+1:]
	archive := buildscript.Undot(b.step.Dir, args[0])
	u, err := b.unit(archive, Package)
	if err != nil {
		return err
	}
	if !u.done || archive != u.objdir+"/_pkg_.a" {
		return fmt.Errorf("packs into %s, which no earlier command has compiled", archive)
	}
	files, err := b.words(u, append([]string{"pack"}, args[1:]...))
	if err != nil {
		return err
	}
	files = files[1:]
	p := &action.Pack{Archive: "${ARCHIVE}"}
	lastCgo := -1
	for i, f := range files {
		if strings.HasPrefix(f, "/") { // a .syso file of the sources
			b.addSource(u, f)
		}
		t, err := b.token(u, f)
		if err != nil {
			return err
		}
		p.Files = append(p.Files, t)
		if strings.HasPrefix(f, u.objdir+"/") {
			lastCgo = i
		}
	}
	if u.tested {
		// If the linking test fails, cmd/go adds this marker after the objects of
		// cgo and before those of the sources.
		p.Files = slices.Insert(p.Files, lastCgo+1, failMarker)
		p.IfExists = []string{failMarker}
	}
	u.add(action.Step{Pack: p})
	return nil
}

const failMarker = "${OBJ}/dynimportfail"

// preprofile reads `preprofile`, which turns a CPU profile into the form that the
// compiler reads.
func (b *builder) preprofile(a buildscript.Run) error {
	if _, err := flagValue(a.Args, "-i"); err != nil {
		return err
	}
	u, out, err := b.writer(a.Args, "-o", File)
	if err != nil {
		return err
	}
	if u.done {
		return errors.New("a second profile in the same object directory")
	}
	u.node.Kind = File
	u.node.Name = "preprofile"
	words, err := b.words(u, a.Args)
	if err != nil {
		return err
	}
	for i := range words {
		if words[i] == "-i" && i+1 < len(words) {
			b.addSource(u, words[i+1])
		}
		if words[i] == out {
			words[i] = "" // replaced below
		}
	}
	args, err := b.tokens(u, words)
	if err != nil {
		return err
	}
	for i := range args {
		if args[i] == "" {
			args[i] = "${FILE}"
		}
	}
	u.add(action.Step{Run: &action.Run{Env: b.toolEnv(a.Env), Args: args}})
	b.finish(u, out, Whole)
	return nil
}

// toolEnv returns the environment of a Go tool: the variables that it inherits from
// cmd/go, and those of the script.
func (b *builder) toolEnv(env []string) []string {
	return slices.Concat(b.opt.ToolEnv, EscapeAll(env))
}

// EscapeAll escapes literal strings for action.Expand.
func EscapeAll(list []string) []string {
	var out []string
	for _, s := range list {
		out = append(out, action.Escape(s))
	}
	return out
}

// writer returns the output of a command, which is the word after the flag, and the
// unit that it belongs to.
func (b *builder) writer(args []string, flag string, kind Kind) (u *unit, out string, err error) {
	if out, err = flagValue(args, flag); err != nil {
		return nil, "", err
	}
	out = buildscript.Undot(b.step.Dir, out)
	u, err = b.unit(out, kind)
	return u, out, err
}

// flagValue returns the word after a flag, which must occur once.
func flagValue(args []string, flag string) (string, error) {
	i := slices.Index(args, flag)
	if i < 0 || i+1 >= len(args) {
		return "", fmt.Errorf("has no %s", flag)
	}
	if slices.Contains(args[i+1:], flag) {
		return "", fmt.Errorf("has %s twice", flag)
	}
	return args[i+1], nil
}
