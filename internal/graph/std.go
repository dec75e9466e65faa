package graph

import "slices"

// A Part is a share of the standard library that one derivation builds.
type Part struct {
	Name  string
	Nodes []int // in the graph's order
}

// Roots of the parts of the standard library. A package that stands here, or
// that one of these imports, is in that part; what is left is in the part of
// the same suffix if it needs nothing of the network part. A list that has
// grown old costs time, no more: an unknown package is in a rest.
var (
	baseRoots = []string{
		"bufio", "bytes", "compress/gzip", "compress/zlib", "container/heap", "container/list", "context",
		"crypto/md5", "crypto/rand", "crypto/sha1", "crypto/sha256", "crypto/sha512", "embed",
		"encoding/base32", "encoding/base64", "encoding/binary", "encoding/csv", "encoding/hex", "encoding/json", "errors",
		"flag", "fmt", "go/token", "hash/adler32", "hash/crc32", "hash/fnv", "hash/maphash", "io", "io/fs",
		"io/ioutil", "iter", "log", "maps", "math", "math/big", "math/bits", "math/cmplx", "math/rand", "math/rand/v2",
		"os", "os/exec", "os/signal", "path", "path/filepath", "reflect", "regexp", "runtime", "runtime/debug",
		"runtime/metrics", "runtime/pprof", "runtime/trace", "slices", "sort", "strconv", "strings", "structs", "sync",
		"sync/atomic", "syscall", "text/tabwriter", "text/template", "time", "unicode", "unicode/utf16", "unicode/utf8",
		"unique",
	}
	netRoots = []string{
		"archive/tar", "crypto/pbkdf2", "database/sql", "encoding/gob", "encoding/xml", "expvar", "html",
		"html/template", "log/slog", "mime/multipart", "net/http", "net/http/httptrace", "net/http/httputil",
		"net/http/pprof", "net/mail", "net/rpc", "net/smtp", "net/textproto", "os/user", "time/tzdata",
	}
)

// StdParts splits the standard library: what nearly every program uses, what
// servers use besides, and two rests. So a program does not wait for what it
// has no use for, and programs still share what they have in common.
//
// A part depends on those before it alone.
func StdParts(std *Graph) []Part {
	const base, more, net, netMore = 0, 1, 2, 3
	parts := []Part{{Name: "std"}, {Name: "std-more"}, {Name: "std-net"}, {Name: "std-net-more"}}
	roots := map[string]int{}
	for _, name := range netRoots {
		roots[name] = net
	}
	for _, name := range baseRoots {
		roots[name] = base
	}
	partOf := make([]int, len(std.Nodes))
	for i := range partOf {
		partOf[i] = -1
	}
	// Nodes come after those they refer to.
	for i, n := range slices.Backward(std.Nodes) {
		if part, ok := roots[n.Name]; ok && (partOf[i] < 0 || part < partOf[i]) {
			partOf[i] = part
		}
		if partOf[i] < 0 {
			continue
		}
		for _, r := range n.Refs {
			if partOf[r.Node] < 0 || partOf[i] < partOf[r.Node] {
				partOf[r.Node] = partOf[i]
			}
		}
	}
	for i, n := range std.Nodes {
		if partOf[i] < 0 {
			partOf[i] = more
			for _, r := range n.Refs {
				if partOf[r.Node] >= net {
					partOf[i] = netMore
				}
			}
		}
		p := &parts[partOf[i]]
		p.Nodes = append(p.Nodes, i)
	}
	return parts
}

// usedParts leaves out the parts that nothing refers to: neither the nodes that
// are used nor a part that is.
func usedParts(std *Graph, used []bool) []Part {
	var out []Part
	for _, p := range slices.Backward(StdParts(std)) {
		if !slices.ContainsFunc(p.Nodes, func(n int) bool { return used[n] }) {
			continue
		}
		for _, n := range p.Nodes {
			for _, r := range std.Nodes[n].Refs {
				used[r.Node] = true
			}
		}
		out = append(out, p)
	}
	slices.Reverse(out)
	return out
}
