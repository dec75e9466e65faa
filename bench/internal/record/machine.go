package record

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// ThisMachine describes the machine that the program runs on.
func ThisMachine() string {
	cpu, _ := os.ReadFile("/proc/cpuinfo")
	memory, _ := os.ReadFile("/proc/meminfo")
	kb := 0
	fmt.Sscanf(string(memory), "MemTotal: %d kB", &kb)
	return fmt.Sprintf("%s/%s, %s, %d cores, %d GB of memory", runtime.GOOS, runtime.GOARCH, processor(model(string(cpu)), pageFault()), runtime.NumCPU(), (kb+1<<19)>>20)
}

// slowFault is the time of a page fault that slow ones exceed; on most machines it takes
// some tenths of a microsecond.
const slowFault = 2 * time.Microsecond

// processor is a processor's name, with a remark if page faults are slow. Forks and
// short processes consist of them, so that ratios are not those of other machines with
// that processor.
func processor(model string, fault time.Duration) string {
	if fault > slowFault {
		return model + " with slow page faults"
	}
	return model
}

// pageFault is the time that the first access to a page of memory takes, or 0 if that
// cannot be measured.
func pageFault() time.Duration {
	const pages = 4096
	size := os.Getpagesize()
	memory, err := syscall.Mmap(-1, 0, pages*size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return 0
	}
	defer syscall.Munmap(memory)
	if err := syscall.Madvise(memory, syscall.MADV_NOHUGEPAGE); err != nil {
		return 0
	}
	start := time.Now()
	for i := range pages {
		memory[i*size] = 1
	}
	return time.Since(start) / pages
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
