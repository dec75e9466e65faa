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

// A SyntaxError tells which line of a lock could not be understood.
type SyntaxError struct {
	File string
	Line int // 1 is the first
	Err  error
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
}

func (e *SyntaxError) Unwrap() error { return e.Err }

// Parse reads the text of a lock. file is its name in errors, which are of type
// *[SyntaxError]. The order of modules does not matter.
func Parse(file string, text []byte) (*Lock, error) {
	p := parser{text: text, dec: json.NewDecoder(bytes.NewReader(text))}
	p.dec.UseNumber()
	l, err := p.lock()
	if err != nil {
		return nil, &SyntaxError{file, p.line(), err}
	}
	return l, nil
}

// A parser reads JSON by tokens: what encoding/json makes of a whole text does
// not tell of keys that are there twice or in capitals, nor of lines.
type parser struct {
	text []byte
	dec  *json.Decoder
	bad  bool // what follows the last token is none
}

// line is that of the last token, or of what is none. Where the latter begins,
// not every version of encoding/json tells.
func (p *parser) line() int {
	offset := min(int(p.dec.InputOffset()), len(p.text))
	if rest := p.text[offset:]; p.bad {
		offset += len(rest) - len(bytes.TrimLeft(rest, " \t\r\n,:"))
	}
	return 1 + bytes.Count(p.text[:offset], []byte("\n"))
}

var errAnew = errors.New("`dgd lock` writes it anew")

func (p *parser) lock() (*Lock, error) {
	var l Lock
	err := p.object("the lock", []string{"version", "main", "modules"}, []string{"goMods"}, func(key string) error {
		switch key {
		case "version":
			return p.version()
		case "main":
			return p.array(key, func() error {
				path, err := p.string("a path in main")
				if err == nil {
					err = module.CheckImportPath(path)
				}
				if slices.Contains(l.Main, path) {
					err = fmt.Errorf("main module %s is listed twice", path)
				}
				l.Main = append(l.Main, path)
				return err
			})
		case "modules":
			seen := map[string]bool{}
			return p.array(key, func() error {
				m, err := p.module()
				if err == nil && seen[m.Path] {
					err = fmt.Errorf("module %s is listed twice", m.Path)
				}
				seen[m.Path] = true
				l.Modules = append(l.Modules, m)
				return err
			})
		}
		l.GoMods = &GoMods{}
		return p.goMods(l.GoMods)
	})
	if err != nil {
		return nil, err
	}
	if len(l.Main) == 0 {
		return nil, fmt.Errorf("main names no module: %w", errAnew)
	}
	if _, err := p.dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the end: %w", errAnew)
	}
	return &l, nil
}

func (p *parser) version() error {
	token, err := p.token()
	if err != nil {
		return err
	}
	if n, ok := token.(json.Number); !ok || n.String() != quote(Version) {
		return fmt.Errorf("the format has version %v, and this dgd reads version %d: take the dgd that wrote it, or write it anew with `dgd lock`", token, Version)
	}
	return nil
}

// module reads a module. Its errors name it.
func (p *parser) module() (m Module, err error) {
	err = p.object("a module", []string{"path", "version"}, []string{"replace", "sum", "hash"}, func(key string) (err error) {
		switch key {
		case "path":
			m.Path, err = p.string(key)
		case "version":
			m.Version, err = p.string(key)
		case "replace":
			err = p.object(key, []string{"path", "version"}, nil, func(key string) (err error) {
				if key == "path" {
					m.Replace.Path, err = p.string(key)
				} else {
					m.Replace.Version, err = p.string(key)
				}
				return err
			})
			if err == nil {
				err = module.Check(m.Replace.Path, m.Replace.Version)
			}
		case "sum":
			m.Sum, err = p.sha256(key, "h1:")
		case "hash":
			m.Hash, err = p.sha256(key, "sha256-")
		}
		return err
	})
	if err == nil {
		err = checkModule(m)
	}
	if err != nil && m.Path != "" && !errors.Is(err, errAnew) {
		err = fmt.Errorf("module %s: %w", m.Path, err)
	}
	return m, err
}

func checkModule(m Module) error {
	if err := module.CheckImportPath(m.Path); err != nil {
		return err
	}
	if err := checkVersion(m.Version); err != nil {
		return err
	}
	if (m.Sum == "") != (m.Hash == "") {
		return errors.New("of sum and hash it has only one")
	}
	return nil
}

func checkVersion(v string) error {
	if v == "" || module.CanonicalVersion(v) != v {
		return fmt.Errorf("%q is not a version", v)
	}
	return nil
}

func (p *parser) goMods(mods *GoMods) error {
	seen := map[string]bool{}
	return p.object("goMods", []string{"hash", "modules"}, nil, func(key string) (err error) {
		if key == "hash" {
			mods.Hash, err = p.sha256("the hash of goMods", "sha256-")
			return err
		}
		return p.array("modules of goMods", func() error {
			name, err := p.string("a module of goMods")
			if err != nil {
				return err
			}
			path, version, _ := strings.Cut(name, "@")
			m := module.Version{Path: path, Version: version}
			if err := module.Check(path, version); err != nil {
				return fmt.Errorf("goMods: %w", err)
			}
			if seen[name] {
				return fmt.Errorf("goMods: %s is listed twice", name)
			}
			seen[name] = true
			mods.Modules = append(mods.Modules, m)
			return nil
		})
	})
}

// object reads an object that has the required keys, and may have the optional
// ones; value reads what stands behind a key.
func (p *parser) object(what string, required, optional []string, value func(key string) error) error {
	if err := p.open(what, '{', "an object"); err != nil {
		return err
	}
	seen := map[string]bool{}
	for p.dec.More() {
		token, err := p.token()
		if err != nil {
			return err
		}
		key := token.(string) // the decoder accepts nothing else
		if !slices.Contains(required, key) && !slices.Contains(optional, key) {
			return fmt.Errorf("%s has the unknown key %q", what, key)
		}
		if seen[key] {
			return fmt.Errorf("%s has the key %q twice", what, key)
		}
		seen[key] = true
		if err := value(key); err != nil {
			return err
		}
	}
	if _, err := p.token(); err != nil { // the closing brace
		return err
	}
	for _, key := range required {
		if !seen[key] {
			return fmt.Errorf("%s has no %q", what, key)
		}
	}
	return nil
}

func (p *parser) array(what string, element func() error) error {
	if err := p.open(what, '[', "an array"); err != nil {
		return err
	}
	for p.dec.More() {
		if err := element(); err != nil {
			return err
		}
	}
	_, err := p.token()
	return err
}

func (p *parser) open(what string, delim json.Delim, kind string) error {
	token, err := p.token()
	if err == nil && token != delim {
		err = fmt.Errorf("%s is not %s", what, kind)
	}
	return err
}

func (p *parser) string(what string) (string, error) {
	token, err := p.token()
	if err != nil {
		return "", err
	}
	s, ok := token.(string)
	if !ok {
		return "", fmt.Errorf("%s is not a string", what)
	}
	return s, nil
}

// sha256 reads a hash: the prefix, and base64.
func (p *parser) sha256(what, prefix string) (string, error) {
	s, err := p.string(what)
	if err != nil {
		return "", err
	}
	rest, ok := strings.CutPrefix(s, prefix)
	sum, err := base64.StdEncoding.Strict().DecodeString(rest)
	if !ok || err != nil || len(sum) != sha256.Size || strings.ContainsAny(s, "\r\n") {
		return "", fmt.Errorf("%s is %q, not %q and the base64 of a SHA-256 hash", what, s, prefix)
	}
	return s, nil
}

// token reads the next token. A text that is not JSON, or that ends too early,
// is damaged.
func (p *parser) token() (json.Token, error) {
	token, err := p.dec.Token()
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil, fmt.Errorf("the file ends in the middle: %w", errAnew)
	}
	if err != nil {
		p.bad = true
		return nil, fmt.Errorf("not JSON: %v: %w", err, errAnew)
	}
	return token, nil
}
