package testrun

import (
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"
)

// What go test says of a test program's end, this says as well.
func TestRun(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		script, want string
		fails        bool
	}{
		{"echo said", "said\n", false},
		{"echo said; exit 1", "said\n", true},
		{"printf said; exit 1", "said\n", true},
		{"exit 3", "exit status 3\n", true},
		{"echo said; kill -9 $$", "said\nsignal: killed\n", true},
		{"sleep 20 &", "*** Test I/O incomplete 5s after exiting.\nexec: WaitDelay expired before I/O complete\n", true},
	} {
		run := Run{Dir: t.TempDir(), Env: os.Environ(), Path: "/first", Args: []string{sh, "-c", test.script, "-test.timeout=30s"}}
		start := time.Now()
		out, err := run.Run(t.Context())
		if string(out) != test.want || (err != nil) != test.fails {
			t.Errorf("%s: %v, and the output is\n%s\nwant\n%s", test.script, err, out, test.want)
		}
		if took := time.Since(start); took > 15*time.Second {
			t.Errorf("%s: took %v", test.script, took)
		}
	}
}

func TestLimits(t *testing.T) {
	for args, want := range map[string][2]time.Duration{
		"":                                  {},
		"-test.timeout=0s":                  {},
		"-test.timeout=10m0s":               {time.Minute, 11 * time.Minute},
		"-test.timeout=30s":                 {5 * time.Second, 90 * time.Second},
		"-test.timeout=1h0m0s -test.v=true": {6 * time.Minute, 66 * time.Minute},
		"-test.timeout=10m0s -test.bench=.": {},
		"-test.bench= -test.timeout=30s":    {5 * time.Second, 90 * time.Second},
	} {
		run := Run{Args: append([]string{"p"}, strings.Fields(args)...)}
		delay, kill := run.limits()
		if got := [2]time.Duration{delay, kill}; !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", args, got, want)
		}
	}
}

func TestVerbose(t *testing.T) {
	for args, want := range map[string]bool{"": false, "-test.v=true": true, "-test.v=test2json": true, "-test.v=false": false, "-test.bench=.": true, "-test.run=v": false} {
		run := Run{Args: append([]string{"p"}, strings.Fields(args)...)}
		if got := run.Verbose(); got != want {
			t.Errorf("%q: %v, want %v", args, got, want)
		}
	}
}
