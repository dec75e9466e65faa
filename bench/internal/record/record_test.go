package record

import (
	"path/filepath"
	"reflect"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{nil, 0},
		{[]float64{3}, 3},
		{[]float64{9, 1, 2}, 2},
		{[]float64{4, 1, 9, 2}, 3},
	} {
		if got := Median(test.values); got != test.want {
			t.Errorf("of %v: %v, want %v", test.values, got, test.want)
		}
	}
	values := []float64{3, 1, 2}
	Median(values)
	if values[0] != 3 {
		t.Error("the values have been sorted in place")
	}
}

func TestMerge(t *testing.T) {
	a := []Record{
		{Scenario: "cold", Program: "p", Mode: "ifd", Baseline: "go", Ratio: 1},
		{Scenario: "leaf", Program: "p", Mode: "ifd", Baseline: "go", Ratio: 2},
	}
	b := []Record{
		{Scenario: "leaf", Program: "p", Mode: "ifd", Baseline: "single", Ratio: 3},
		{Scenario: "cold", Program: "p", Mode: "ifd", Baseline: "go", Ratio: 4},
		{Scenario: "cold", Program: "p", Mode: "ifd", Baseline: "go", Ratio: 5, InputAddressed: true},
	}
	var got []float64
	for _, r := range merge(append(a, b...)) {
		got = append(got, r.Ratio)
	}
	if want := []float64{4, 2, 3, 5}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestReadWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.json")
	want := []Record{{Scenario: "cold", Counts: map[string]int{"link": 1}, Problems: []string{"one"}}}
	if err := Write(file, want); err != nil {
		t.Fatal(err)
	}
	got, err := Read(file)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := Read(file + "x"); err == nil {
		t.Error("a missing file is no error")
	}
}
