package modules

import (
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
)

// The names that a module has in a module cache, GOMODCACHE. In them upper-case
// letters are escaped, as some file systems do not tell them from lower-case ones.

// TreeName returns where the files of a module are below a module cache:
// PATH@VERSION.
func TreeName(m module.Version) (string, error) {
	escapedPath, version, err := escape(m)
	return escapedPath + "@" + version, err
}

// DownloadName returns how a module's files in the download cache, which is
// DownloadDir, are called without their extensions: PATH/@v/VERSION.
func DownloadName(m module.Version) (string, error) {
	escapedPath, version, err := escape(m)
	return path.Join(escapedPath, "@v", version), err
}

// DownloadDir is the download cache of a module cache.
func DownloadDir(cache string) string { return filepath.Join(cache, "cache", "download") }

// OfDownload returns the module that a file in a download cache belongs to, where
// name is the file's name there, with its extension.
func OfDownload(name string) (module.Version, error) {
	name = filepath.ToSlash(name)
	escapedPath, version, _ := strings.Cut(strings.TrimSuffix(name, path.Ext(name)), "/@v/")
	return unescape(escapedPath, version)
}

// ofTree returns the module whose TreeName it is.
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
