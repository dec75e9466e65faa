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
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"dgd/bench/internal/page"
	"dgd/bench/internal/record"
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
	var opt options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	scenarioNames := flags.String("scenario", names(), "measure these scenarios")
	modes := flags.String("mode", "ifd,dyn,plan", "in these modes")
	programs := flags.String("program", "", "with these programs: "+programNames+" (default: those of the scenario)")
	flags.IntVar(&opt.runs, "runs", 3, "paired runs of each; what counts are the medians")
	flags.BoolVar(&opt.inputAddressed, "input-addressed", false, "measure input-addressed derivations")
	flags.BoolVar(&opt.oneProcess, "one-process", false, "let nix-build build by itself, without a daemon")
	flags.StringVar(&opt.nix, "nix", "", "measure with the Nix whose programs are in this `directory`")
	flags.IntVar(&opt.maxJobs, "max-jobs", 0, "Nix's max-jobs (default: as configured)")
	flags.StringVar((*string)(&opt.lock), "lock", "", "hold a lock on this `file` while something is timed, on a machine where others measure, too")
	flags.StringVar(&opt.dir, "dir", "", "make stores and all else below this `directory` (default: $TMPDIR, else in memory where there are 10 GB)")
	out := flags.String("json", "", "write the records to this `file`, after each scenario")
	doc := flags.String("doc", "", "measure nothing: add these `files` of records to "+kept+", and write docs/benchmarks.md from that")
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
	opt.modes = split(*modes)
	for _, mode := range opt.modes {
		if mode != "ifd" && mode != "dyn" && mode != byPlan {
			return fmt.Errorf("unknown mode %q: there are ifd, dyn and plan", mode)
		}
	}
	if opt.runs < 1 {
		return errors.New("-runs must be at least 1")
	}
	return measure(ctx, opt, chosen, split(*programs), *out)
}

// measure runs the scenarios. What a failed one leaves is the others' records.
func measure(ctx context.Context, opt options, chosen []scenario, programs []string, out string) (err error) {
	dir, err := os.MkdirTemp(place(opt.dir), "dgd-bench-")
	if err != nil {
		return err
	}
	b := newBench(ctx, opt, dir)
	defer func() { err = errors.Join(err, b.close()) }()
	if err := try(b.prepare); err != nil {
		return err
	}
	var all []record.Record
	var failed []error
	for _, s := range chosen {
		list := programs
		if len(list) == 0 {
			list = s.programs
		}
		for _, p := range list {
			m := &measurement{bench: b, scenario: s.name, name: p}
			err := try(func() { s.run(m) })
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err != nil {
				b.say("%s %s failed: %v", s.name, p, err)
				failed = append(failed, fmt.Errorf("%s %s: %w", s.name, p, err))
				continue
			}
			all = append(all, m.records()...)
			if out != "" {
				if err := record.Write(out, all); err != nil {
					return err
				}
			}
		}
	}
	return errors.Join(failed...)
}

// kept is the file of the records that the page is made of.
const kept = "docs/benchmarks/records.json"

// document adds records to those of the page, in place of older ones of the same, and
// writes the page.
func document(files []string) error {
	if _, err := os.Stat(kept); err == nil {
		files = slices.Insert(files, 0, kept)
	}
	list, err := record.Read(files...)
	if err != nil {
		return err
	}
	if err := record.Write(kept, list); err != nil {
		return err
	}
	var rows [][2]string
	for _, s := range scenarios {
		rows = append(rows, [2]string{s.name, s.what})
	}
	return page.Write("docs", rows, list)
}

// choose finds scenarios by name.
func choose(wanted []string) ([]scenario, error) {
	var list []scenario
	for _, name := range wanted {
		i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("unknown scenario %q: there are %s", name, names())
		}
		list = append(list, scenarios[i])
	}
	return list, nil
}

// names are those of all scenarios.
func names() string {
	var list []string
	for _, s := range scenarios {
		list = append(list, s.name)
	}
	return strings.Join(list, ",")
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}
