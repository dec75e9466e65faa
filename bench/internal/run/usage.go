package run

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Usage is what a command has used.
type Usage struct {
	Time   time.Duration
	CPU    time.Duration // user and system, of the command and of all that it has waited for
	PeakKB int           // of one process, without those that it started
}

// Add adds the time and the CPU seconds of what ran after it. The memory stays.
func (u *Usage) Add(after Usage) {
	u.Time += after.Time
	u.CPU += after.CPU
}

// Measure runs a command and watches its memory, and that of the processes
// that beside names at any time.
func Measure(cmd *exec.Cmd, beside ...func() []int) (Usage, error) {
	var u Usage
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return u, err
	}
	ended := make(chan error)
	go func() { ended <- cmd.Wait() }()
	for {
		u.PeakKB = max(u.PeakKB, peakKB(cmd.Process.Pid))
		for _, more := range beside {
			for _, pid := range more() {
				u.PeakKB = max(u.PeakKB, peakKB(pid))
			}
		}
		select {
		case err := <-ended:
			u.Time, u.CPU = time.Since(start), CPU(cmd)
			return u, err
		case <-time.After(pause(time.Since(start))):
		}
	}
}

// pause is how long Measure waits before it looks again at the memory of processes that
// have run for so long. What /proc reports is the most that a process has had so far, so
// that a long build needs no more looks than a short one: a hundred a second took 2 % of
// two cores.
func pause(elapsed time.Duration) time.Duration {
	return max(10*time.Millisecond, elapsed/50)
}

// CPU is what a command that has ended, and all that it has waited for, have
// taken.
func CPU(cmd *exec.Cmd) time.Duration {
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// peakKB is the most memory that a process has had so far; 0 for one that has
// ended.
func peakKB(pid int) int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := strings.Cut(string(text), "\nVmHWM:")
	kb := 0
	fmt.Sscan(rest, &kb)
	return kb
}

// Children are the processes that a process has started and that still run, or
// that it has not waited for yet.
func Children(pid int) []int {
	var list []int
	// Each thread has a list of its own. One that has ended has none.
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		for word := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				list = append(list, child)
			}
		}
	}
	return list
}
