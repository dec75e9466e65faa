package run

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestMeasure(t *testing.T) {
	u, err := Measure(exec.Command("sleep", "0.2"))
	if err != nil {
		t.Fatal(err)
	}
	if u.Time < 200*time.Millisecond || u.PeakKB == 0 {
		t.Errorf("used %+v", u)
	}
	if _, err := Measure(exec.Command("false")); err == nil {
		t.Error("a failure is no error")
	}
}

// The CPU time is that of a command's children, too, and the memory also that
// of processes beside it.
func TestMeasureOthers(t *testing.T) {
	u, err := Measure(exec.Command("sh", "-c", `sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; true`))
	if err != nil {
		t.Fatal(err)
	}
	if u.CPU < 20*time.Millisecond {
		t.Errorf("used %+v", u)
	}
	// A test program is larger than sleep.
	beside, err := Measure(exec.Command("sleep", "0.1"), func() []int { return []int{os.Getpid()} })
	if err != nil || beside.PeakKB < peakKB(os.Getpid())/2 {
		t.Errorf("used %+v, %v", beside, err)
	}
}

func TestChildren(t *testing.T) {
	cmd := exec.Command("sleep", "30")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	found := slices.Contains(Children(os.Getpid()), cmd.Process.Pid)
	if !found {
		t.Error("a child is not found")
	}
	cmd.Process.Kill()
	cmd.Wait()
}

func TestGently(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", "sleep 30; true")
	Gently(cmd)
	if u, err := Measure(cmd); err == nil || u.Time > 5*time.Second {
		t.Errorf("used %+v, %v", u, err)
	}
}

func TestLock(t *testing.T) {
	lock := Lock(filepath.Join(t.TempDir(), "lock"))
	err := lock.Do(t.Context(), func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		return lock.Do(ctx, func() error { t.Error("held twice"); return nil })
	})
	if err == nil {
		t.Error("the second holder has not waited")
	}
	ran := false
	if err := lock.Do(t.Context(), func() error { ran = true; return nil }); err != nil || !ran {
		t.Errorf("free again: %v, %v", ran, err)
	}
	if err := Lock("").Do(t.Context(), func() error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestTail(t *testing.T) {
	if got := Tail("a\nb\n"); got != "a\nb" {
		t.Errorf("got %q", got)
	}
}
