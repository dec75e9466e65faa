package main

import (
	"encoding/xml"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestBuilt(t *testing.T) {
	const hash = "/nix/store/6l638pj2jp52yxfxih5cwb64035lq48n-"
	got := built("these 2 derivations will be built:\n  " + hash + "plan.drv\nbuilding '" + hash + "plan.drv'...\n" +
		"resolved derivation: '" + hash + "a.drv' -> '" + hash + "a.drv'...\nbuilding '" + hash + "a.b-c.drv' on 'x'...\n")
	if want := []string{"building plan", "building a.b-c"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The picture in the repository is well-formed, and shows each command.
func TestPicture(t *testing.T) {
	committed, err := os.ReadFile("../session.svg")
	if err != nil {
		t.Fatal(err)
	}
	for name, svg := range map[string]string{
		"drawn":     string(draw([]line{{"$ a <b> & 'c'", "command"}, {"", "empty"}, {"d", "output"}})),
		"committed": string(committed),
	} {
		text := ""
		for d := xml.NewDecoder(strings.NewReader(svg)); ; {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if data, ok := token.(xml.CharData); ok {
				text += string(data)
			}
		}
		want := []string{"$ a <b> & 'c'"}
		if name == "committed" {
			want = nil
			for _, s := range session {
				want = append(want, "$ "+s.command)
			}
		}
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("the %s picture does not show %q", name, w)
			}
		}
	}
}
