package record

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
)

// ThisMachine describes the machine that the program runs on.
func ThisMachine() string {
	cpu, _ := os.ReadFile("/proc/cpuinfo")
	memory, _ := os.ReadFile("/proc/meminfo")
	kb := 0
	fmt.Sscanf(string(memory), "MemTotal: %d kB", &kb)
	return fmt.Sprintf("%s/%s, %s, %d cores, %d GB of memory", runtime.GOOS, runtime.GOARCH, model(string(cpu)), runtime.NumCPU(), (kb+1<<19)>>20)
}

var modelName = regexp.MustCompile(`(?m)^model name\s*:\s*(.*?)( CPU)?( *@.*)?$`)

// model is the processor's name without marks and frequency.
func model(cpuinfo string) string {
	m := modelName.FindStringSubmatch(strings.NewReplacer("(R)", "", "(TM)", "").Replace(cpuinfo))
	if m == nil {
		return "an unknown processor"
	}
	return m[1]
}
