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

// Measure runs a command and watches its memory, and that of the processes
// that beside names at any time.
func Measure(cmd *exec.Cmd, beside ...func() []int) (Usage, error) {
	var u Usage
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return u, err
	}
	pids := func() []int {
		list := []int{cmd.Process.Pid}
		for _, more := range beside {
			list = append(list, more()...)
		}
		return list
	}
	done, watched := make(chan struct{}), make(chan int)
	go watch(pids, done, watched)
	err := cmd.Wait()
	u.Time = time.Since(start)
	close(done)
	u.PeakKB = <-watched
	u.CPU = CPU(cmd)
	return u, err
}

// CPU is what a command that has ended, and all that it has waited for, have
// taken.
func CPU(cmd *exec.Cmd) time.Duration {
	if cmd.ProcessState == nil {
		return 0
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// watch samples the peak of each process's memory until done is closed, and
// sends the highest one.
func watch(pids func() []int, done <-chan struct{}, peak chan<- int) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	most := 0
	for {
		for _, pid := range pids() {
			most = max(most, peakKB(pid))
		}
		select {
		case <-done:
			peak <- most
			return
		case <-tick.C:
		}
	}
}

// peakKB is the most memory that a process has had so far.
func peakKB(pid int) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "\nVmHWM:")
	kb := 0
	fmt.Sscan(rest, &kb)
	return kb
}

// Children are the processes that a process has started and that still run, or
// that it has not waited for yet.
func Children(pid int) []int {
	var list []int
	// Each thread has a list of its own.
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		for _, word := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				list = append(list, child)
			}
		}
	}
	return list
}
