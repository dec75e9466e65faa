package modules

import (
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
)

// The names that a module has in a module cache, GOMODCACHE. Upper-case letters in
// them are escaped, as some file systems ignore case.

// TreeName returns the directory of a module's files relative to the module cache,
// PATH@VERSION. Invalid paths and versions are errors.
func TreeName(m module.Version) (string, error) {
	escapedPath, version, err := escape(m)
	return escapedPath + "@" + version, err
}

// DownloadName returns the name of a module's files relative to DownloadDir, without
// the extension: PATH/@v/VERSION. Invalid paths and versions are errors.
func DownloadName(m module.Version) (string, error) {
	escapedPath, version, err := escape(m)
	return path.Join(escapedPath, "@v", version), err
}

// DownloadDir returns the download cache in the module cache.
func DownloadDir(cache string) string { return filepath.Join(cache, "cache", "download") }

// OfDownload returns the module that a file in a download cache belongs to. Name is
// relative to the download cache, and has the extension. It is an error if it is not
// a name of this form.
func OfDownload(name string) (module.Version, error) {
	name = filepath.ToSlash(name)
	escapedPath, version, _ := strings.Cut(strings.TrimSuffix(name, path.Ext(name)), "/@v/")
	return unescape(escapedPath, version)
}

// ofTree returns the module with this TreeName.
func ofTree(name string) (module.Version, error) {
	escapedPath, version, _ := strings.Cut(filepath.ToSlash(name), "@")
	return unescape(escapedPath, version)
}

func escape(m module.Version) (escapedPath, version string, err error) {
	if escapedPath, err = module.EscapePath(m.Path); err != nil {
		return "", "", err
	}
	version, err = module.EscapeVersion(m.Version)
	return escapedPath, version, err
}

func unescape(escapedPath, escapedVersion string) (m module.Version, err error) {
	if m.Path, err = module.UnescapePath(escapedPath); err != nil {
		return module.Version{}, err
	}
	m.Version, err = module.UnescapeVersion(escapedVersion)
	return m, err
}
