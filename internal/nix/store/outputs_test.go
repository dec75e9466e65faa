package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dgd/internal/nix/drvfile"
)

// memory is a store in memory, by .drv path.
type memory struct {
	drvs     map[string]*drvfile.Derivation
	recorded map[string]map[string]string
	requests int
	fails    int // the number of the request that fails, from 1 on
}

func (m *memory) request() error {
	if m.requests++; m.requests == m.fails {
		return errors.New("no answer")
	}
	return nil
}

func (m *memory) Derivations(_ context.Context, drvs []string) (map[string]*drvfile.Derivation, error) {
	found := map[string]*drvfile.Derivation{}
	for _, drv := range drvs {
		if d := m.drvs[drv]; d != nil {
			found[drv] = d
		}
	}
	return found, m.request()
}

func (m *memory) Recorded(_ context.Context, drvs []string) (map[string]map[string]string, error) {
	found := map[string]map[string]string{}
	for _, drv := range drvs {
		if m.recorded[drv] != nil {
			found[drv] = maps.Clone(m.recorded[drv])
		}
	}
	return found, m.request()
}

func at(letter, name string) string {
	return "/nix/store/" + strings.Repeat(letter, 32) + "-" + name
}

// floating returns a content-addressed derivation with outputs and inputs, which are
// DRV!OUTPUT or, for dynamic ones, DRV!OUTPUT!OUTPUT.
func floating(outputs string, inputs ...string) *drvfile.Derivation {
	d := &drvfile.Derivation{
		Outputs: map[string]drvfile.Output{}, Inputs: map[string][]string{}, Dynamic: map[string]map[string][]string{},
		System: "s", Builder: "b", Env: map[string]string{},
	}
	for _, name := range strings.Fields(outputs) {
		d.Outputs[name] = drvfile.Output{Algo: "r:sha256"}
	}
	for _, input := range inputs {
		switch p := strings.Split(input, "!"); len(p) {
		case 2:
			d.Inputs[p[0]] = append(d.Inputs[p[0]], p[1])
			d.Args = append(d.Args, drvfile.InputPlaceholder(p[0], p[1]))
		case 3:
			d.Dynamic[p[0]] = map[string][]string{p[1]: {p[2]}}
			d.Args = append(d.Args, drvfile.DynamicPlaceholder(p[0], p[1], p[2]))
		}
	}
	return d
}

// A store with records of resolved derivations only, as since Nix 2.35, gives the same
// result as a store with records of all derivations.
func TestFindOutputs(t *testing.T) {
	plan, inner, lib, side, top, pkg := at("1", "plan.drv.drv"), at("2", "plan.drv"), at("3", "lib.drv"), at("4", "side.drv"), at("5", "top.drv"), at("6", "pkg.drv")
	source := at("7", "source.drv")
	drvs := func() map[string]*drvfile.Derivation {
		fetched := floating("out")
		fetched.Outputs["out"] = drvfile.Output{Path: at("a", "source"), Algo: "r:sha256", Hash: "x"}
		deferred := floating("", top+"!out")
		deferred.Outputs["out"], deferred.Outputs["lib"] = drvfile.Output{}, drvfile.Output{}
		deferred.Env["out"], deferred.Env["lib"] = "", ""
		return map[string]*drvfile.Derivation{
			source: fetched,
			plan:   floating("out", source+"!out"),
			inner:  floating("out", lib+"!x"),
			lib:    floating("out x"),
			side:   floating("out", lib+"!out"),
			top:    floating("out", plan+"!out!out", side+"!out", lib+"!out"),
			pkg:    deferred,
		}
	}
	want := map[string]map[string]string{
		source: {"out": at("a", "source")}, plan: {"out": inner}, inner: {"out": at("c", "inner")}, lib: {"out": at("d", "lib"), "x": at("d", "lib-x")},
		side: {"out": at("e", "side")}, top: {"out": at("f", "top")},
	}
	_, resolvedPkg := Resolve(pkg, drvs()[pkg], want)
	want[pkg] = map[string]string{"out": resolvedPkg.Outputs["out"].Path, "lib": resolvedPkg.Outputs["lib"].Path}
	if !strings.HasSuffix(want[pkg]["out"], "-pkg") || !strings.HasSuffix(want[pkg]["lib"], "-pkg-lib") || resolvedPkg.Env["lib"] != want[pkg]["lib"] {
		t.Fatalf("the package is resolved to %+v", resolvedPkg)
	}

	// store returns a store with records of all or of resolved derivations.
	store := func(resolvedOnly bool) *memory {
		m := &memory{drvs: drvs(), recorded: map[string]map[string]string{}}
		for drv, outputs := range want {
			form, _ := Resolve(drv, m.drvs[drv], want)
			if !resolvedOnly || len(m.drvs[drv].InputDrvs()) == 0 {
				m.recorded[drv] = outputs
			}
			m.recorded[form] = outputs
		}
		return m
	}
	all := slices.Sorted(maps.Keys(want))
	for _, resolvedOnly := range []bool{false, true} {
		m := store(resolvedOnly)
		got := map[string]map[string]string{}
		if err := findOutputs(t.Context(), m, got, all); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("resolved only %v: %v, %v; want %v", resolvedOnly, got, err, want)
		}
		requests := m.requests
		if err := findOutputs(t.Context(), m, got, all); err != nil || m.requests != requests {
			t.Errorf("it asks again: %v", err)
		}
		if !resolvedOnly && requests != 2 {
			t.Errorf("it takes %d requests", requests)
		}
		for fails := 1; fails <= requests; fails++ {
			m := store(resolvedOnly)
			m.fails = fails
			if err := findOutputs(t.Context(), m, map[string]map[string]string{}, all); err == nil || err.Error() != "no answer" {
				t.Errorf("request %d fails, and the error is %v", fails, err)
			}
		}
		// A request for a single derivation finds its inputs, too.
		m = store(resolvedOnly)
		got = map[string]map[string]string{}
		if err := findOutputs(t.Context(), m, got, []string{pkg}); err != nil || !reflect.DeepEqual(got[pkg], want[pkg]) {
			t.Errorf("resolved only %v: %v, %v; want %v", resolvedOnly, got[pkg], err, want[pkg])
		}
	}

	// If a record or a derivation is missing, only the outputs that depend on it are
	// unknown.
	for _, test := range []struct {
		forget  string
		unknown []string
	}{
		{lib, []string{inner, side, top, pkg}},
		{side, []string{top, pkg}},
		{plan, []string{top, pkg}},
		{inner, []string{top, pkg}},
		{top, []string{pkg}},
	} {
		for _, gone := range []bool{false, true} {
			m := store(true)
			form, _ := Resolve(test.forget, m.drvs[test.forget], want)
			delete(m.recorded, form)
			delete(m.recorded, test.forget)
			if gone {
				delete(m.drvs, test.forget)
			}
			got := map[string]map[string]string{}
			if err := findOutputs(t.Context(), m, got, all); err != nil {
				t.Fatal(err)
			}
			for _, drv := range all {
				known := drv != test.forget && !slices.Contains(test.unknown, drv)
				if known && !reflect.DeepEqual(got[drv], want[drv]) || !known && len(got[drv]) > 0 {
					t.Errorf("without %s: %s has %v", test.forget, drv, got[drv])
				}
			}
		}
	}

	// The outputs of two records with a part of the outputs each are joined.
	m := store(true)
	m.drvs[side] = floating("out x", lib+"!out")
	form, _ := Resolve(side, m.drvs[side], want)
	m.recorded[form], m.recorded[side] = map[string]string{"x": "X"}, map[string]string{"out": "OUT"}
	got := map[string]map[string]string{}
	if err := findOutputs(t.Context(), m, got, []string{side}); err != nil || !reflect.DeepEqual(got[side], map[string]string{"out": "OUT", "x": "X"}) {
		t.Errorf("%v, %v", got[side], err)
	}
}

// The number of requests grows with the depth of the graph of derivations, not with
// their number.
func TestBatches(t *testing.T) {
	requests := func(width int) int {
		const depth = 5
		m := &memory{drvs: map[string]*drvfile.Derivation{}, recorded: map[string]map[string]string{}}
		known := map[string]map[string]string{}
		var all, below []string
		for level := range depth {
			var drvs []string
			for i := range width {
				var inputs []string
				for _, drv := range below {
					inputs = append(inputs, drv+"!out")
				}
				drv := at("1", fmt.Sprintf("d-%d-%d.drv", level, i))
				m.drvs[drv] = floating("out", inputs...)
				known[drv] = map[string]string{"out": at("2", fmt.Sprintf("d-%d-%d", level, i))}
				form, _ := Resolve(drv, m.drvs[drv], known)
				m.recorded[form] = known[drv]
				drvs = append(drvs, drv)
			}
			all, below = append(all, drvs...), drvs
		}
		// A derivation without inputs is its own resolved form.
		for _, drv := range all[:width] {
			m.recorded[drv] = known[drv]
		}
		got := map[string]map[string]string{}
		if err := findOutputs(t.Context(), m, got, all); err != nil || !reflect.DeepEqual(got, known) {
			t.Fatalf("%v, %v", got, err)
		}
		return m.requests
	}
	if few, many := requests(1), requests(50); many != few || few > 8 {
		t.Errorf("5 derivations take %d requests, 250 take %d", few, many)
	}
}
