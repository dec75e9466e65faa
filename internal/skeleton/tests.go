package skeleton

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// reduceTest keeps the same as reduceGo, and what the go command reads to generate
// the main package of a test: the signatures of tests, and the last comment of an
// example, which may have its output. See testFuncs.load in
// cmd/go/internal/load/test.go. If the go command may refuse a signature, all of the
// file is kept, as its message names the line.
func reduceTest(text []byte, all bool) (kept []byte, ok bool) {
	if !all {
		return nil, false
	}
	header, _ := reduceGo(text, true)
	if len(header) == len(text) {
		return text, true
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return text, true // the go command will report it
	}
	between := func(from, to token.Pos) []byte {
		// Not Position, which follows //line comments.
		f := fset.File(file.Pos())
		return text[f.Offset(from):f.Offset(to)]
	}
	var out bytes.Buffer
	out.Write(header)
	if !bytes.HasSuffix(header, []byte("\n")) {
		out.WriteByte('\n')
	}
	for _, d := range file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Recv != nil || !isTest(fn.Name.Name) {
			continue
		}
		if isWrong(fn) {
			return text, true
		}
		out.Write(between(fn.Pos(), fn.Type.End()))
		if fn.Body != nil {
			out.WriteString(" {\n")
			if strings.HasPrefix(fn.Name.Name, "Example") {
				if last := lastComment(file.Comments, fn.Body); last != nil {
					out.Write(between(last.Pos(), last.End()))
					out.WriteByte('\n')
				}
			}
			out.WriteByte('}')
		}
		out.WriteByte('\n')
	}
	return out.Bytes(), true
}

// isTest reports whether a function of this name may be a test. The go command has
// stricter rules.
func isTest(name string) bool {
	return slices.ContainsFunc([]string{"Test", "Benchmark", "Fuzz", "Example"}, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// isWrong reports whether the go command may refuse the signature of a test: see
// checkTestFunc and isTestFunc in cmd/go/internal/load/test.go.
func isWrong(fn *ast.FuncDecl) bool {
	name, arguments := fn.Name.Name, ""
	for prefix, args := range map[string]string{"Test": "T", "Benchmark": "B", "Fuzz": "F"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			if r, _ := utf8.DecodeRuneInString(rest); rest == "" || !unicode.IsLower(r) {
				arguments = args
			}
		}
	}
	switch {
	case arguments == "":
		return false // an example, or not a test
	case name == "TestMain":
		arguments = "TM"
	}
	params := fn.Type.Params.List
	if fn.Type.TypeParams.NumFields() > 0 || fn.Type.Results.NumFields() > 0 || len(params) != 1 || len(params[0].Names) > 1 {
		return true
	}
	star, ok := params[0].Type.(*ast.StarExpr)
	if !ok {
		return true
	}
	switch t := star.X.(type) {
	case *ast.Ident:
		return !strings.Contains(arguments, t.Name)
	case *ast.SelectorExpr:
		return !strings.Contains(arguments, t.Sel.Name)
	}
	return true
}

// lastComment returns the last comment in a function's body, as go/doc does.
func lastComment(list []*ast.CommentGroup, body *ast.BlockStmt) *ast.CommentGroup {
	var last *ast.CommentGroup
	for _, c := range list {
		if c.Pos() >= body.Pos() && c.End() <= body.End() {
			last = c
		}
	}
	return last
}
