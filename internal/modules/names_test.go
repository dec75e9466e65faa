package modules

import (
	"testing"

	"golang.org/x/mod/module"
)

func TestNames(t *testing.T) {
	for m, want := range map[module.Version][2]string{
		{Path: "example.org/a", Version: "v1.0.0"}:                            {"example.org/a@v1.0.0", "example.org/a/@v/v1.0.0"},
		{Path: "example.org/Upper/sub/v2", Version: "v2.1.0-RC1"}:             {"example.org/!upper/sub/v2@v2.1.0-!r!c1", "example.org/!upper/sub/v2/@v/v2.1.0-!r!c1"},
		{Path: "gopkg.in/yaml.v3", Version: "v3.0.0-20200101000000-abcdefab"}: {"gopkg.in/yaml.v3@v3.0.0-20200101000000-abcdefab", "gopkg.in/yaml.v3/@v/v3.0.0-20200101000000-abcdefab"},
	} {
		tree, err := TreeName(m)
		if err != nil || tree != want[0] {
			t.Errorf("%s: the tree is %q, %v", m, tree, err)
		}
		if back, err := ofTree(tree); err != nil || back != m {
			t.Errorf("%s is of %s, %v", tree, back, err)
		}
		download, err := DownloadName(m)
		if err != nil || download != want[1] {
			t.Errorf("%s: the download is %q, %v", m, download, err)
		}
		for _, ext := range []string{".zip", ".mod"} {
			if back, err := OfDownload(download + ext); err != nil || back != m {
				t.Errorf("%s is of %s, %v", download+ext, back, err)
			}
		}
	}
	for _, m := range []module.Version{{Path: "no path", Version: "v1.0.0"}, {Path: "example.org/a", Version: "v1!"}} {
		if name, err := TreeName(m); err == nil {
			t.Errorf("%s: the tree is %q", m, name)
		}
		if name, err := DownloadName(m); err == nil {
			t.Errorf("%s: the download is %q", m, name)
		}
	}
	for _, name := range []string{"example.org/Upper/@v/v1.0.0.zip", "example.org/a/@v/V1.zip", "x.zip"} {
		if m, err := OfDownload(name); err == nil {
			t.Errorf("%s is of %s", name, m)
		}
	}
}
