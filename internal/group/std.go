package group

import (
	"slices"
	"strings"

	"dgd/internal/graph"
)

// common are the parts of the standard library that many programs use. The roots
// belong to the part, and the packages that they import belong to the first part that
// needs them. An outdated list costs time only.
//
// The first part is used by nearly every program. A part does not depend on later
// ones.
var common = []struct {
	name  string
	roots []string
}{
	{"std", []string{
		"bufio", "bytes", "container/heap", "container/list", "container/ring", "context", "embed", "encoding/base64",
		"encoding/binary", "encoding/hex", "errors", "flag", "fmt", "hash/adler32", "hash/crc32", "hash/fnv", "hash/maphash",
		"io", "io/fs", "io/ioutil", "iter", "log", "maps", "math", "math/bits", "math/cmplx", "math/rand", "math/rand/v2", "os",
		"os/exec", "os/signal", "path", "path/filepath", "reflect", "runtime", "runtime/debug", "slices", "sort", "strconv",
		"strings", "structs", "sync", "sync/atomic", "syscall", "text/tabwriter", "time", "unicode", "unicode/utf16",
		"unicode/utf8", "unique",
	}},
	{"std-cgo", []string{"runtime/cgo"}},
	{"std-text", []string{"encoding/base32", "encoding/csv", "encoding/json", "log/slog", "net/url", "regexp"}},
	{"std-template", []string{"html", "text/template"}},
	{"std-compress", []string{"compress/gzip", "compress/zlib", "runtime/metrics", "runtime/pprof", "runtime/trace"}},
	{"std-hash", []string{
		"crypto/hmac", "crypto/md5", "crypto/rand", "crypto/sha1", "crypto/sha256", "crypto/sha512", "crypto/subtle", "math/big",
	}},
	{"std-go", []string{"go/format", "go/version"}},
	{"std-testing", []string{"testing", "testing/internal/testdeps"}},
	{"std-net", []string{"net", "os/user"}},
	{"std-tls", []string{"crypto/tls"}},
	{"std-http", []string{"mime/multipart", "net/http", "net/http/httptrace", "net/http/httputil"}},
	{"std-coverage", []string{"runtime/coverage"}},
	{"std-image", []string{"image/draw", "image/gif", "image/jpeg", "image/png"}},
	{"std-sql", []string{"database/sql"}},
}

// stdParts divides the standard library into parts, so that a program compiles few
// packages that it does not need, and programs share the others. The packages that
// many programs use are in a few parts, since a derivation costs time as well. Each
// other package is a part of its own, with the internal packages that only it needs.
//
// A part depends on earlier ones only.
func stdParts(std *graph.Graph) []graph.Part {
	partOf := make([]int, len(std.Nodes)) // index in common, or len(common) + the node that the part is named after
	rootOf := map[string]int{}
	for i, p := range slices.Backward(common) {
		for _, name := range p.roots {
			rootOf[name] = i
		}
	}
	for i, n := range std.Nodes {
		part, ok := rootOf[n.Name]
		if !ok {
			part = len(common) + i
		}
		partOf[i] = part
	}
	// A node belongs to the first part that needs it.
	for i, n := range slices.Backward(std.Nodes) {
		for _, r := range n.Refs {
			if partOf[i] < len(common) {
				partOf[r.Node] = min(partOf[r.Node], partOf[i])
			}
		}
	}
	users := make([][]int, len(std.Nodes)) // the parts that refer to a node
	for i, n := range slices.Backward(std.Nodes) {
		if partOf[i] >= len(common) && isInternal(n.Name) && len(users[i]) == 1 {
			partOf[i] = users[i][0]
		}
		for _, r := range n.Refs {
			if !slices.Contains(users[r.Node], partOf[i]) {
				users[r.Node] = append(users[r.Node], partOf[i])
			}
		}
	}
	members := make([][]int, len(common)+len(std.Nodes))
	for i, part := range partOf {
		members[part] = append(members[part], i)
	}
	var parts []graph.Part
	for part, nodes := range members {
		if len(nodes) == 0 {
			continue
		}
		p := graph.Part{Nodes: nodes}
		if part < len(common) {
			p.Name = common[part].name
		} else {
			p.Name = "std-" + std.Nodes[part-len(common)].Name
		}
		parts = append(parts, p)
	}
	return parts
}

// isInternal reports whether a package of the standard library is internal or
// vendored, so that programs cannot import it.
func isInternal(name string) bool {
	return strings.HasPrefix(name, "vendor/") || slices.Contains(strings.Split(name, "/"), "internal")
}
