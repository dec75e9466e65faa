package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"dgd/internal/goflags"
	"dgd/internal/lock/making"
	"dgd/internal/planfile"
	"dgd/internal/stage"
	"dgd/internal/workspace"
)

// planFlags are the flags of `dgd plan` that become settings of the plan file.
type planFlags struct {
	src, builder, ldflags, gcflags, target, granularity string
	member                                              string // see memberOf
	packages, excluded, tags, env                       []string
	testPackages, checkFlags, testData                  []string
	cgo, contentAddressed, tests, fallback, add         bool
}

// gowork returns the value of GOWORK in the builder's env, or else in the
// environment of this process.
func (f *planFlags) gowork() string {
	gowork := os.Getenv("GOWORK")
	for _, v := range f.env {
		if value, ok := strings.CutPrefix(v, "GOWORK="); ok {
			gowork = value
		}
	}
	return gowork
}

func newPlan() *cobra.Command {
	var f planFlags
	var check, asJSON, withLock bool
	cmd := &cobra.Command{
		Use:   "plan [DIR]",
		Short: "Write dgd.plan, by which evaluation makes a derivation per package without building anything",
		Long: `Write ` + planfile.Name + ` beside the go.mod, or the go.work, of DIR (.): what the go command does to build
the project's programs, a line for each package. Evaluation reads it in the argument plan.

It runs the go command in PATH and takes the modules of dgd.lock, or of the project's vendor directory.
The flags are the arguments of the builder; without them those hold that the file already has.
--builder begins anew: then what no flag says is as without one. --add keeps what the file has,
and adds another setting. The old file stays until the new one is complete.`,
		Example: `  dgd plan --tags netgo --ldflags '-s -w'
  dgd plan             # anew, with the same settings
  dgd plan --add --tags sqlite
  dgd plan --check     # list the packages whose plan has changed`,
		Args:              misused(cobra.MaximumNArgs(1)),
		ValidArgsFunction: completeDir,
		RunE: func(cmd *cobra.Command, args []string) error {
			if asJSON && !check {
				return misuse{errors.New("--json is for the findings of --check: give both")}
			}
			if withLock && check {
				return misuse{errors.New("--lock writes dgd.lock, and --check writes nothing: give one of them")}
			}
			project, err := lockedProject(args, f.gowork())
			if err != nil {
				return err
			}
			if f.member, err = memberOf(project, append(args, ".")[0]); err != nil {
				return err
			}
			if withLock {
				if _, _, err := making.Write(cmd.Context(), project, making.Options{Jobs: 8, Timeout: lockTimeout, Progress: cmd.ErrOrStderr()}); err != nil {
					return err
				}
			}
			return runPlan(cmd, project, &f, check, asJSON)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&check, "check", false, "write nothing; plan anew and say what differs from "+planfile.Name+", a line for each package")
	flags.BoolVar(&asJSON, "json", false, "with --check, print JSON")
	flags.BoolVar(&withLock, "lock", false, "write dgd.lock first")
	flags.StringVar(&f.src, "src", "", "the builder's src is `DIR` (default: where the file is)")
	flags.StringVar(&f.builder, "builder", "buildGoModule", "the builder's `NAME`: buildGoModule, buildWithIFD or buildWithDynDrv")
	flags.StringArrayVar(&f.packages, "package", nil, "the builder's subPackages have `PACKAGE`")
	flags.StringArrayVar(&f.excluded, "exclude", nil, "the builder's excludedPackages have `PATTERN`")
	flags.StringSliceVar(&f.tags, "tags", nil, "the builder's `TAGS`")
	flags.StringVar(&f.ldflags, "ldflags", "", "the builder's ldflags, with spaces between them")
	flags.StringVar(&f.gcflags, "gcflags", "", "the builder's gcflags, with spaces between them")
	flags.StringArrayVar(&f.env, "env", nil, "the builder's env has `NAME=VALUE`")
	flags.StringVar(&f.target, "for", "linux/"+runtime.GOARCH, "the program runs on `GOOS/GOARCH`, or on some of these with commas between them")
	flags.BoolVar(&f.cgo, "cgo", true, "cgo is on, as with a builder's env without CGO_ENABLED")
	flags.BoolVar(&f.contentAddressed, "content-addressed", false, "the builder's contentAddressed is true, which matters for programs with C")
	flags.StringVar(&f.granularity, "granularity", "auto", "the builder's granularity, `auto, module or package`")
	flags.BoolVar(&f.add, "add", false, "add these settings to those that the file has")
	flags.BoolVar(&f.fallback, "fallback", true, "let the go command build in one derivation what cannot be planned package by package")
	flags.BoolVar(&f.tests, "tests", false, "plan the tests, too: a derivation for each package's")
	flags.StringArrayVar(&f.testPackages, "test-package", nil, "with --tests, the builder's testPackages have `PATTERN` (default: ./..., for buildGoModule its packages)")
	flags.StringArrayVar(&f.checkFlags, "check-flag", nil, "with --tests, the builder's checkFlags have `FLAG`")
	flags.StringArrayVar(&f.testData, "test-data", nil, "with --tests, the builder's testData have `[PACKAGE=]PATH`")
	return cmd
}

// runPlan makes the plans and writes the file, or with check prints in what it
// differs from them.
func runPlan(cmd *cobra.Command, project *making.Project, f *planFlags, check, asJSON bool) error {
	name := filepath.Join(project.Dir, planfile.Name)
	old, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if check && old == nil {
		return fmt.Errorf("there is no %s: run `dgd plan` in %s", planfile.Name, project.Dir)
	}
	sets, err := f.sets(cmd, name, old)
	if err != nil {
		return err
	}
	// Nearly all allocations live until the plan is written: garbage collection took a
	// fourth of the time of this program.
	debug.SetGCPercent(400)
	tmp, err := os.MkdirTemp("", "dgd-plan-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	plans, err := makePlans(cmd.Context(), project, sets, tmp)
	if err != nil {
		return err
	}
	text := planfile.Format(plans)
	if check {
		return showDifferences(cmd, project, name, old, text, asJSON)
	}
	changed, err := making.ReplaceFile(name, text)
	if err != nil {
		return err
	}
	count := 0
	for _, p := range plans {
		count = max(count, len(p.Nodes))
	}
	cmd.PrintErrf("%s %s: %d packages and programs\n", name, written(changed), count)
	return nil
}

// A variant is one group of settings for one target.
type variant struct {
	cfg    *stage.FileConfig
	target string
	key    string // identifies the settings, and is the same on all machines
}

// variants returns the variants of a list of settings, without duplicates.
func variants(ctx context.Context, project *making.Project, sets []*planFlags, tmp string) ([]variant, error) {
	var list []variant
	var lock *workspace.Locked
	for i, f := range sets {
		cfg, err := f.config(ctx, project.Dir)
		if err != nil {
			return nil, err
		}
		key, err := cfg.Key()
		if err != nil {
			return nil, err
		}
		if i == 0 {
			if err := useModules(ctx, project, cfg, tmp); err != nil {
				return nil, err
			}
			lock = cfg.Lock
		}
		cfg.Lock = lock
		for _, target := range strings.Split(f.target, ",") {
			goos, goarch, ok := strings.Cut(target, "/")
			if !ok || goos == "" || goarch == "" {
				return nil, misuse{fmt.Errorf("--for has %q, not GOOS/GOARCH", target)}
			}
			v := variant{target: target, key: key}
			if slices.ContainsFunc(list, func(w variant) bool { return w.target == target && w.key == key }) {
				continue
			}
			one := *cfg
			one.Env = maps.Clone(cfg.Env)
			one.Env["GOOS"], one.Env["GOARCH"] = goos, goarch
			v.cfg = &one
			list = append(list, v)
		}
	}
	return list, nil
}

// makePlans returns the plans of all variants, by their names in the file.
func makePlans(ctx context.Context, project *making.Project, sets []*planFlags, tmp string) (map[string]*planfile.File, error) {
	list, err := variants(ctx, project, sets, tmp)
	if err != nil {
		return nil, err
	}
	count := map[string]int{} // by target
	for _, v := range list {
		count[v.target]++
	}
	plans := map[string]*planfile.File{}
	for i, v := range list {
		plan, err := stage.MakeFile(ctx, v.cfg, filepath.Join(tmp, "plan", strconv.Itoa(i)))
		if err != nil {
			if len(list) > 1 {
				err = fmt.Errorf("for %s: %w", v.target, err)
			}
			return nil, err
		}
		if reason := plan.Unplanned; reason != "" {
			fmt.Fprintf(os.Stderr, "dgd: for %s, the go command will build the programs in one derivation, because dgd cannot plan them package by package (--fallback=false makes it an error): %s\n", v.target, reason)
		}
		name := v.target
		if count[name] > 1 {
			name += ":" + v.key
		}
		if len(count) < len(list) {
			plan.SetVariant(name)
		}
		plans[name] = plan
	}
	return plans, nil
}

// showDifferences prints the lines in which the plan file differs from a plan made
// now.
func showDifferences(cmd *cobra.Command, project *making.Project, name string, old, now []byte, asJSON bool) error {
	before, err := planfile.Lines(name, old)
	if err != nil {
		return err
	}
	after, err := planfile.Lines(name, now)
	if err != nil {
		return err
	}
	return showFindings(cmd, planfile.Differences(before, after), asJSON, "dgd plan", project.Dir)
}

// config returns the configuration of the plan of the project in dir.
func (f *planFlags) config(ctx context.Context, dir string) (*stage.FileConfig, error) {
	goroot, err := making.Toolchain(ctx, &making.Project{Dir: dir})
	if err != nil {
		return nil, err
	}
	cfg := &stage.FileConfig{Src: dir, Granularity: f.granularity, ContentAddressed: f.contentAddressed}
	if f.src != "" {
		if cfg.Src, err = filepath.Abs(f.src); err != nil {
			return nil, err
		}
	}
	cfg.Go = goroot
	if cfg.NoCache, err = noCache(); err != nil {
		return nil, err
	}
	if f.fallback {
		cfg.Fallback = &stage.Fallback{UserEnv: true}
	}
	rel, err := filepath.Rel(cfg.Src, filepath.Join(dir, f.member))
	if err != nil || !filepath.IsLocal(rel) {
		return nil, misuse{fmt.Errorf("--src is %s, and %s is not below it", cfg.Src, filepath.Join(dir, f.member))}
	}
	cfg.ModRoot = filepath.ToSlash(rel)
	switch f.builder {
	case "buildGoModule":
		cfg.Libraries = true
		cfg.Package = f.packages
	case "buildWithIFD", "buildWithDynDrv":
		cfg.Package = f.packages
		if len(cfg.Package) == 0 {
			cfg.Package = []string{"."}
		}
	default:
		return nil, misuse{fmt.Errorf("--builder is %q, not buildGoModule, buildWithIFD or buildWithDynDrv", f.builder)}
	}
	cfg.Excluded = f.excluded
	if cfg.Tests, err = f.ofTests(cfg); err != nil {
		return nil, err
	}
	cfg.Env = map[string]string{"CGO_ENABLED": "0"}
	if f.cgo {
		cfg.Env["CGO_ENABLED"] = "1"
	}
	for _, v := range f.env {
		name, value, ok := strings.Cut(v, "=")
		if !ok {
			return nil, misuse{fmt.Errorf("--env is %q, not NAME=VALUE", v)}
		}
		cfg.Env[name] = value
	}
	cfg.Flags = []string{"-trimpath", "-buildvcs=false"}
	if len(f.tags) > 0 {
		cfg.Flags = append(cfg.Flags, "-tags="+strings.Join(f.tags, ","))
	}
	if f.gcflags != "" {
		cfg.Flags = append(cfg.Flags, "-gcflags="+f.gcflags)
	}
	ldflags := f.ldflags
	if !hasBuildID(ldflags, cfg.Libraries) {
		ldflags = strings.TrimSpace(ldflags + " -buildid=")
	}
	// The values of -X are not part of a plan: versions and revisions change more often.
	hidden, _ := goflags.HideValues(ldflags)
	cfg.Flags = append(cfg.Flags, "-ldflags="+hidden)
	return cfg, nil
}

// buildIDFlag matches a flag of the linker that sets the build ID, also one behind a
// pattern.
var buildIDFlag = regexp.MustCompile(`(^|[\s=])-buildid=`)

// hasBuildID reports whether flags of the linker set a build ID, by the rule of the
// builder: buildGoModule does not look behind a pattern, as nixpkgs does not. See
// lib/builders/go-module.nix and lib/stages/planning.nix.
func hasBuildID(ldflags string, isGoModule bool) bool {
	if isGoModule {
		return slices.ContainsFunc(strings.Fields(ldflags), func(w string) bool { return strings.HasPrefix(w, "-buildid=") })
	}
	return buildIDFlag.MatchString(ldflags)
}

// useModules sets the modules of the project's lock, if it has one, in cfg.
func useModules(ctx context.Context, project *making.Project, cfg *stage.FileConfig, tmp string) error {
	text, err := os.ReadFile(project.LockFile())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	l, err := project.ReadLock()
	if err != nil {
		return err
	}
	goMods := filepath.Join(tmp, "gomods")
	trees, err := making.Trees(ctx, project, l, goMods)
	if err != nil {
		return err
	}
	cfg.Lock = &workspace.Locked{Text: string(text)}
	if l.GoMods != nil {
		cfg.Lock.GoMods = goMods
	}
	for _, t := range trees {
		cfg.Lock.Modules = append(cfg.Lock.Modules, workspace.LockedModule{
			Path: t.Module.Path, Version: t.Module.Version, Sum: t.Sum, Locked: t.Module.Version, Origin: t.Dir, Tree: t.Dir,
		})
	}
	return nil
}
