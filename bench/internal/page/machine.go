package page

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
)

// A Machine is what was measured on.
type Machine struct {
	System   string
	CPU      string
	Cores    int
	MemoryGB int
}

// ThisMachine describes the machine that the program runs on.
func ThisMachine() (Machine, error) {
	m := Machine{System: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.NumCPU()}
	cpu, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return m, fmt.Errorf("the machine: %w", err)
	}
	m.CPU = model(string(cpu))
	memory, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return m, fmt.Errorf("the machine: %w", err)
	}
	kb := 0
	if _, err := fmt.Sscanf(string(memory), "MemTotal: %d kB", &kb); err != nil {
		return m, fmt.Errorf("the machine: /proc/meminfo: %w", err)
	}
	m.MemoryGB = (kb + 1<<19) >> 20
	return m, nil
}

var (
	marks     = regexp.MustCompile(`\((R|TM)\)`)
	frequency = regexp.MustCompile(` *@.*| CPU\b`)
)

// model is the processor's name without marks and frequency.
func model(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(frequency.ReplaceAllString(marks.ReplaceAllString(value, ""), ""))
		}
	}
	return ""
}
