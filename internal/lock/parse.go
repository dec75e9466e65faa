package lock

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/mod/module"
)

// A SyntaxError is an error in the text of a lock, with its line.
type SyntaxError struct {
	File string
	Line int // 1 is the first
	Err  error
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
}

func (e *SyntaxError) Unwrap() error { return e.Err }

var errAnew = errors.New("`dgd lock` writes it anew")

// Parse parses the text of a lock. Errors are of type *[SyntaxError] and name
// the file. Modules may be in any order.
func Parse(file string, text []byte) (*Lock, error) {
	r := reader{text: text, dec: json.NewDecoder(bytes.NewReader(text))}
	r.dec.UseNumber()
	v, err := r.value()
	if err == nil {
		if _, end := r.dec.Token(); end != io.EOF {
			err = fmt.Errorf("there is text behind the end of the lock: %w", errAnew)
		}
	}
	if err != nil {
		return nil, &SyntaxError{file, lineOf(text, r.end()), err}
	}
	var c checker
	l := c.lock(v)
	if c.err != nil {
		return nil, &SyntaxError{file, lineOf(text, c.end), c.err}
	}
	return l, nil
}

// lineOf returns the number of the line that an offset is in.
func lineOf(text []byte, offset int) int { return 1 + bytes.Count(text[:offset], []byte("\n")) }

// A value is a JSON value with the offset of its end. encoding/json alone reports
// neither offsets nor duplicate keys, and accepts keys in capital letters.
type value struct {
	end   int
	token json.Token // the first token: the whole value of a string or a number
	parts []part     // the fields of an object or the elements of an array
}

// A part is a field of an object, or an element of an array, which has no key.
type part struct {
	key    string
	keyEnd int
	value  value
}

// field returns the first field with a key.
func (v value) field(key string) (value, bool) {
	i := slices.IndexFunc(v.parts, func(p part) bool { return p.key == key })
	if i < 0 {
		return value{}, false
	}
	return v.parts[i].value, true
}

// A reader reads JSON values with their offsets.
type reader struct {
	text []byte
	dec  *json.Decoder
	bad  bool // the text after the last token is not a token
}

// end returns the offset at which the last token ends, or at which the text that
// is not a token begins. Not every version of encoding/json reports the latter.
func (r *reader) end() int {
	offset := min(int(r.dec.InputOffset()), len(r.text))
	if rest := r.text[offset:]; r.bad {
		offset += len(rest) - len(bytes.TrimLeft(rest, " \t\r\n,:"))
	}
	return offset
}

// token reads the next token. The end of the text is an error.
func (r *reader) token() (json.Token, error) {
	token, err := r.dec.Token()
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil, fmt.Errorf("the file ends in the middle: %w", errAnew)
	}
	if err != nil {
		r.bad = true
		return nil, fmt.Errorf("not JSON: %v: %w", err, errAnew)
	}
	return token, nil
}

// value reads the next value.
func (r *reader) value() (v value, err error) {
	if v.token, err = r.token(); err != nil {
		return v, err
	}
	_, nested := v.token.(json.Delim)
	for nested && r.dec.More() {
		var p part
		if v.token == json.Delim('{') {
			key, err := r.token()
			if err != nil {
				return v, err
			}
			p.key, p.keyEnd = key.(string), r.end() // the decoder accepts only strings
		}
		if p.value, err = r.value(); err != nil {
			return v, err
		}
		v.parts = append(v.parts, p)
	}
	if nested {
		_, err = r.token() // the closing brace or bracket
	}
	v.end = r.end()
	return v, err
}

// A checker converts a value to a lock and keeps the first error.
type checker struct {
	of  string // the path of the module that is being read, for errors
	end int    // the offset of the error
	err error
}

// fail records an error that ends at an offset.
func (c *checker) fail(end int, format string, args ...any) {
	c.check(end, fmt.Errorf(format, args...))
}

// check records an error, unless it is nil.
func (c *checker) check(end int, err error) {
	if err == nil || c.err != nil {
		return
	}
	if c.of != "" {
		err = fmt.Errorf("module %s: %w", c.of, err)
	}
	c.end, c.err = end, err
}

func (c *checker) lock(v value) *Lock {
	l := &Lock{}
	// Another version may have other keys: its number is checked first.
	if v, ok := v.field("version"); ok && v.token != json.Number(quote(Version)) {
		c.fail(v.end, "the format has version %v, and this dgd reads version %d: take the dgd that wrote it, or write it anew with `dgd lock`", v.token, Version)
	}
	of := c.object(v, "the lock", []string{"version", "main", "modules"}, "goMods")
	for _, v := range c.array(of["main"], "main") {
		path := c.string(v, "a path in main")
		c.check(v.end, module.CheckImportPath(path))
		if slices.Contains(l.Main, path) {
			c.fail(v.end, "main module %s is listed twice", path)
		}
		l.Main = append(l.Main, path)
	}
	if len(l.Main) == 0 {
		c.fail(v.end, "main names no module: %w", errAnew)
	}
	seen := map[string]bool{}
	for _, v := range c.array(of["modules"], "modules") {
		m := c.module(v)
		if seen[m.Path] {
			c.fail(v.end, "module %s is listed twice", m.Path)
		}
		seen[m.Path] = true
		l.Modules = append(l.Modules, m)
	}
	if v, ok := of["goMods"]; ok {
		l.GoMods = c.goMods(v)
	}
	return l
}

// module converts an element of modules. Its errors name the module.
func (c *checker) module(v value) (m Module) {
	defer func() { c.of = "" }()
	if path, ok := v.field("path"); ok {
		c.of, _ = path.token.(string)
	}
	of := c.object(v, "a module", []string{"path", "version"}, "replace", "sum", "hash")
	m.Path, m.Version = c.string(of["path"], "path"), c.string(of["version"], "version")
	if v, ok := of["replace"]; ok {
		of := c.object(v, "replace", []string{"path", "version"})
		m.Replace = module.Version{Path: c.string(of["path"], "path"), Version: c.string(of["version"], "version")}
		c.check(v.end, module.Check(m.Replace.Path, m.Replace.Version))
	}
	if v, ok := of["sum"]; ok {
		m.Sum = c.sha256(v, "sum", "h1:")
	}
	if v, ok := of["hash"]; ok {
		m.Hash = c.sha256(v, "hash", "sha256-")
	}
	c.check(v.end, module.CheckImportPath(m.Path))
	if m.Version == "" || module.CanonicalVersion(m.Version) != m.Version {
		c.fail(v.end, "%q is not a version", m.Version)
	}
	if (m.Sum == "") != (m.Hash == "") {
		c.fail(v.end, "it has only one of sum and hash")
	}
	return m
}

func (c *checker) goMods(v value) *GoMods {
	of := c.object(v, "goMods", []string{"hash", "modules"})
	mods := &GoMods{Hash: c.sha256(of["hash"], "the hash of goMods", "sha256-")}
	seen := map[string]bool{}
	for _, v := range c.array(of["modules"], "modules of goMods") {
		name := c.string(v, "a module of goMods")
		path, version, _ := strings.Cut(name, "@")
		if err := module.Check(path, version); err != nil {
			c.fail(v.end, "goMods: %w", err)
		}
		if seen[name] {
			c.fail(v.end, "goMods: %s is listed twice", name)
		}
		seen[name] = true
		mods.Modules = append(mods.Modules, module.Version{Path: path, Version: version})
	}
	return mods
}

// object returns the fields of an object. All required keys must be there, and no
// others than these and the optional ones.
func (c *checker) object(v value, what string, required []string, optional ...string) map[string]value {
	if v.token != json.Delim('{') {
		c.fail(v.end, "%s is not an object", what)
	}
	of := map[string]value{}
	for _, p := range v.parts {
		if _, twice := of[p.key]; twice {
			c.fail(p.keyEnd, "%s has the key %q twice", what, p.key)
		}
		if !slices.Contains(required, p.key) && !slices.Contains(optional, p.key) {
			c.fail(p.keyEnd, "%s has the unknown key %q", what, p.key)
		}
		of[p.key] = p.value
	}
	for _, key := range required {
		if _, ok := of[key]; !ok {
			c.fail(v.end, "%s has no %q", what, key)
		}
	}
	return of
}

func (c *checker) array(v value, what string) []value {
	if v.token != json.Delim('[') {
		c.fail(v.end, "%s is not an array", what)
	}
	var list []value
	for _, p := range v.parts {
		list = append(list, p.value)
	}
	return list
}

func (c *checker) string(v value, what string) string {
	s, ok := v.token.(string)
	if !ok {
		c.fail(v.end, "%s is not a string", what)
	}
	return s
}

// sha256 converts a SHA-256 hash: the prefix, and base64.
func (c *checker) sha256(v value, what, prefix string) string {
	s := c.string(v, what)
	rest, ok := strings.CutPrefix(s, prefix)
	sum, err := base64.StdEncoding.Strict().DecodeString(rest)
	if !ok || err != nil || len(sum) != sha256.Size || strings.ContainsAny(s, "\r\n") {
		c.fail(v.end, "%s is %q, not %q and the base64 of a SHA-256 hash", what, s, prefix)
	}
	return s
}
