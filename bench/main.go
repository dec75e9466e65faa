// Command bench measures dgd against `go build`, and against a derivation that
// runs it whole. Run it in dgd's own directory:
//
//	./with-nix go run ./bench
//
// See docs/api.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"dgd/bench/internal/page"
	"dgd/bench/internal/record"
	"dgd/bench/internal/run"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := command(ctx, os.Args[1:])
	stop()
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// command is the bench with its flags.
func command(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	scenarioNames := flags.String("scenario", "", "measure these scenarios, separated by commas (default: all of "+strings.Join(names(), ", ")+")")
	modes := flags.String("mode", "ifd,dyn", "in these modes")
	programs := flags.String("program", "", "with these programs: "+small+", "+large+", gen-1000, gen-N, "+strings.Join(cPrograms, ", ")+" (default: those of the scenario)")
	runs := flags.Int("runs", 3, "paired runs of each; what counts are the medians")
	inputAddressed := flags.Bool("input-addressed", false, "measure input-addressed derivations")
	oneProcess := flags.Bool("one-process", false, "let nix-build build by itself, without a daemon")
	nixBin := flags.String("nix", "", "measure with the Nix whose programs are in this `directory`")
	maxJobs := flags.Int("max-jobs", 0, "Nix's max-jobs (default: as configured)")
	lock := flags.String("lock", "", "hold a lock on this `file` while something is timed, on a machine where others measure, too")
	dir := flags.String("dir", "", "make stores and all else below this `directory` (default: $TMPDIR, else in memory where there are 10 GB)")
	out := flags.String("json", "", "write the records to this `file`, after each scenario")
	doc := flags.String("doc", "", "measure nothing: write docs/benchmarks.md from these `files` of records")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	if *doc != "" {
		return document(split(*doc))
	}
	chosen, err := choose(split(*scenarioNames))
	if err != nil {
		return err
	}
	for _, mode := range split(*modes) {
		if mode != "ifd" && mode != "dyn" {
			return fmt.Errorf("unknown mode %q: there are ifd and dyn", mode)
		}
	}
	if *runs < 1 {
		return errors.New("-runs must be at least 1")
	}
	opt := options{
		modes:          split(*modes),
		runs:           *runs,
		inputAddressed: *inputAddressed,
		oneProcess:     *oneProcess,
		nix:            *nixBin,
		maxJobs:        *maxJobs,
		lock:           run.Lock(*lock),
		dir:            *dir,
	}
	return measure(ctx, opt, chosen, split(*programs), *out)
}

// measure runs the scenarios. What a failed one leaves is the others' records.
func measure(ctx context.Context, opt options, chosen []scenario, programs []string, out string) (err error) {
	b, err := newBench(ctx, opt, os.Stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	var all []record.Record
	var failed []error
	for _, s := range chosen {
		list := programs
		if len(list) == 0 {
			list = s.programs
		}
		for _, p := range list {
			records, err := s.run(ctx, b, p)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err != nil {
				b.say("%s %s failed: %v", s.name, p, err)
				failed = append(failed, fmt.Errorf("%s %s: %w", s.name, p, err))
				continue
			}
			all = append(all, records...)
			if out != "" {
				if err := record.Write(out, all); err != nil {
					return err
				}
			}
		}
	}
	return errors.Join(failed...)
}

// document writes the page.
func document(files []string) error {
	var lists [][]record.Record
	for _, file := range files {
		list, err := record.Read(file)
		if err != nil {
			return err
		}
		lists = append(lists, list)
	}
	machine, err := page.ThisMachine()
	if err != nil {
		return err
	}
	return page.Write("docs", machine, record.Merge(lists...))
}

// choose finds scenarios by name; without names, all.
func choose(wanted []string) ([]scenario, error) {
	if len(wanted) == 0 {
		return scenarios, nil
	}
	var list []scenario
	for _, name := range wanted {
		i := slices.Index(names(), name)
		if i < 0 {
			return nil, fmt.Errorf("unknown scenario %q: there are %s", name, strings.Join(names(), ", "))
		}
		list = append(list, scenarios[i])
	}
	return list, nil
}

func names() []string {
	var list []string
	for _, s := range scenarios {
		list = append(list, s.name)
	}
	return list
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

// commit names the state of dgd that is measured.
func commit(ctx context.Context, repo string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", "-C", repo, "describe", "--always", "--dirty", "--abbrev=12").Output()
	if err != nil {
		return "", fmt.Errorf("git describe: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
