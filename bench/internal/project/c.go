package project

import (
	"fmt"
	"strings"
)

// CName is the name of the project that GenerateC makes.
const CName = "cgo-8"

// GenerateC returns the files of a project of eight packages with C++, each of
// two files, and of one without.
func GenerateC() map[string]string {
	files := map[string]string{
		"go.mod":           "module example.com/cgo8\n\ngo 1.24\n",
		"include/all.h":    "#define ALL 1\n",
		"include/unused.h": "\n",
		"leaf/leaf.go":     "package leaf\n\nfunc Number() int { return 1 }\n",
	}
	imports, sum := "", "leaf.Number()"
	for i := range 8 {
		p := fmt.Sprintf("p%d", i)
		in := func(text string) string { return strings.ReplaceAll(text, "PKG", p) }
		imports += in("\t\"example.com/cgo8/PKG\"\n")
		sum += in(" + PKG.Sum()")
		files[p+"/README.md"] = in("PKG\n")
		files[p+"/plain.go"] = in("package PKG\n\n// Sum is in a file without C.\nfunc Sum() int { return sum() }\n")
		files[p+"/cgo.go"] = in(`package PKG

// #cgo CXXFLAGS: -std=c++17 -I${SRCDIR}/../include
// int a_PKG(void);
// int b_PKG(void);
import "C"

func sum() int { return int(C.a_PKG() + C.b_PKG()) }
`)
		for _, name := range []string{"a", "b"} {
			files[p+"/"+name+".cpp"] = in(fmt.Sprintf(`#include <all.h>
#include <algorithm>
#include <map>
#include <regex>
#include <string>
#include <vector>

extern "C" int %s_PKG(void) {
  std::map<std::string, int> m{{"PKG", ALL}};
  std::vector<int> v;
  for (auto &e : m)
    if (std::regex_match(e.first, std::regex("p[0-9]")))
      v.push_back(e.second);
  std::sort(v.begin(), v.end());
  return v.empty() ? 0 : v[0];
}
`, name))
		}
	}
	files["main.go"] = "package main\n\nimport (\n\t\"example.com/cgo8/leaf\"\n" + imports + ")\n\nfunc main() { println(" + sum + ") }\n"
	return files
}
