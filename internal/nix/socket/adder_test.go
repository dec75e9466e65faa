package socket

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A fakeStore answers an adder as Nix does.
type fakeStore struct {
	t      *testing.T
	valid  map[string]bool
	probes int
	added  []string
	broken error // the error of probes
	mute   bool  // probes do not name the missing path
}

func (f *fakeStore) probe(paths []string) (string, bool, error) {
	f.probes++
	if f.broken != nil || f.mute {
		return "", false, f.broken
	}
	// Nix checks the paths in the order of their hashes.
	for _, path := range slices.Sorted(slices.Values(paths)) {
		if !f.valid[path] {
			return path, true, nil
		}
	}
	return "", true, nil
}

func (f *fakeStore) addAll(objects []*object) error {
	for _, o := range objects {
		for _, ref := range o.refs {
			if !f.valid[ref] {
				f.t.Errorf("%s is added before %s, to which it refers", o.name, ref)
			}
		}
		f.valid[o.path] = true
		f.added = append(f.added, o.path)
	}
	return nil
}

// A dag makes batches in which derivation i refers to the derivations in refs[i]; its
// contents depend on version[i].
type dag struct {
	refs    [][]int
	version []int
}

func (g *dag) batch() Batch {
	var b Batch
	var paths []string
	for i, refs := range g.refs {
		d := TextFile{Name: fmt.Sprintf("d%d.drv", i), Text: fmt.Append(nil, g.version[i])}
		for _, ref := range refs {
			d.Refs = append(d.Refs, paths[ref])
		}
		b.Files = append(b.Files, d)
		paths = append(paths, d.Path("/nix/store"))
	}
	b.Use = paths[len(paths)-1:]
	return b
}

func randomDAG(r *rand.Rand, n, fan int) *dag {
	g := &dag{refs: make([][]int, n), version: make([]int, n)}
	for i := range n {
		for range r.IntN(fan + 1) {
			if i > 0 {
				g.refs[i] = append(g.refs[i], r.IntN(i))
			}
		}
	}
	return g
}

// run adds a batch to the store and returns how many of its objects the store did not
// have.
func (f *fakeStore) run(b Batch) (missing int) {
	f.t.Helper()
	f.probes, f.added = 0, nil
	a, err := newAdder("/nix/store", b)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, o := range a.objects {
		if !f.valid[o.path] {
			missing++
		}
	}
	a.probe, a.addAll = f.probe, f.addAll
	if err := a.add(); err != nil {
		f.t.Fatal(err)
	}
	for _, o := range a.objects {
		if !f.valid[o.path] {
			f.t.Errorf("%s was not added", o.name)
		}
	}
	for _, path := range b.Use {
		if !slices.Contains(f.added, path) {
			f.t.Errorf("%s is of use, and was not added", path)
		}
	}
	return missing
}

func TestAdderRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		g := randomDAG(r, 1+r.IntN(60), 1+r.IntN(4))
		f := &fakeStore{t: t, valid: make(map[string]bool)}
		f.run(g.batch())
		for range 5 {
			for range r.IntN(3) {
				g.version[r.IntN(len(g.version))]++
			}
			b := g.batch()
			if r.IntN(3) == 0 {
				b.Use = nil
			}
			f.run(b)
		}
	}
}

// TestAdderRequests checks how many probes an adder makes and how many objects it adds.
func TestAdderRequests(t *testing.T) {
	const n = 1000
	chain := &dag{refs: make([][]int, n), version: make([]int, n)}
	star := &dag{refs: make([][]int, n), version: make([]int, n)} // all refer to 0, and the last to all
	flat := &dag{refs: make([][]int, n), version: make([]int, n)} // the last refers to all
	for i := 1; i < n; i++ {
		chain.refs[i] = []int{i - 1}
		if i < n-1 {
			star.refs[i] = []int{0}
		}
		star.refs[n-1] = append(star.refs[n-1], i-1)
		flat.refs[n-1] = append(flat.refs[n-1], i-1)
	}
	wide := randomDAG(rand.New(rand.NewPCG(3, 4)), n, 6)
	for i := range n - 1 {
		wide.refs[n-1] = append(wide.refs[n-1], i)
	}
	for _, test := range []struct {
		name      string
		dag       *dag
		edits     []int
		maxProbes int
		maxExtra  int // objects that are added although the store has them
	}{
		{"chain", chain, nil, 1, 1},
		{"chain", chain, []int{0}, minProbes, 0},
		{"chain", chain, []int{n / 2}, minProbes, 0},
		{"chain", chain, []int{n - 1}, 2, 0},
		{"star", star, nil, 1, 1},
		{"star", star, []int{0}, 4, 0},
		{"star", star, []int{n / 2}, 4, 0},
		{"star", star, []int{1, 10, 100}, 12, 0},
		{"flat", flat, []int{5}, 4, 0},
		{"flat", flat, []int{1, 2, 3, 4, 5, 6, 7, 8}, minProbes, n},
		{"wide", wide, nil, 1, 1},
		{"wide", wide, []int{n - 2}, 6, 0},
		{"wide", wide, []int{0, 500, 900}, 30, n / 4},
	} {
		t.Run(fmt.Sprintf("%s %v", test.name, test.edits), func(t *testing.T) {
			f := &fakeStore{t: t, valid: make(map[string]bool)}
			if f.run(test.dag.batch()) != n || f.probes > minProbes+n/perProbe || len(f.added) != n {
				t.Errorf("new: %d probes, %d added", f.probes, len(f.added))
			}
			for _, i := range test.edits {
				test.dag.version[i]++
			}
			missing := f.run(test.dag.batch())
			t.Logf("%d missing: %d probes, %d added", missing, f.probes, len(f.added))
			if f.probes > test.maxProbes || len(f.added) > missing+test.maxExtra {
				t.Errorf("%d missing: %d probes, %d added; want at most %d, %d",
					missing, f.probes, len(f.added), test.maxProbes, missing+test.maxExtra)
			}
		})
	}
}

func TestAdderUse(t *testing.T) {
	g := randomDAG(rand.New(rand.NewPCG(5, 6)), 50, 3)
	b := g.batch()
	f := &fakeStore{t: t, valid: make(map[string]bool)}
	f.run(b)

	b.Use = nil
	f.run(b)
	if len(f.added) != 0 {
		t.Errorf("of no use, but %d added again", len(f.added))
	}
	b.Use = append(b.Use, b.Files[3].Path("/nix/store"), "/nix/store/not-of-the-batch")
	f.run(Batch{Files: b.Files, Use: b.Use[:1]})
	if len(f.added) != 1 || f.added[0] != b.Use[0] {
		t.Errorf("for one of use, %q were added", f.added)
	}
	b.Use = nil
	for _, d := range b.Files[minSaved-1:] {
		b.Use = append(b.Use, d.Path("/nix/store"))
	}
	f.run(b)
	if f.probes != 0 {
		t.Errorf("%d probes although nearly all is of use", f.probes)
	}
}

func TestAdderFallback(t *testing.T) {
	g := randomDAG(rand.New(rand.NewPCG(7, 8)), 50, 3)
	f := &fakeStore{t: t, valid: make(map[string]bool), mute: true}
	f.run(g.batch())
	if f.probes != 1 {
		t.Errorf("%d probes although the store does not answer them", f.probes)
	}

	a, err := newAdder("/nix/store", g.batch())
	if err != nil {
		t.Fatal(err)
	}
	f = &fakeStore{t: t, broken: errors.New("broken pipe")}
	a.probe, a.addAll = f.probe, f.addAll
	if err := a.add(); err != f.broken {
		t.Errorf("got error %v, want %v", err, f.broken)
	}
}

func TestAdderOrder(t *testing.T) {
	b := (&dag{refs: [][]int{nil, {0}}, version: []int{0, 0}}).batch()
	b.Files[0], b.Files[1] = b.Files[1], b.Files[0]
	_, err := newAdder("/nix/store", b)
	if err == nil || !strings.Contains(err.Error(), "derivation d1.drv comes before d0.drv") {
		t.Errorf("wrong order: %v", err)
	}
}
