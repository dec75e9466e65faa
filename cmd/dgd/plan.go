package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dgd/internal/bind"
	"dgd/internal/goflags"
	"dgd/internal/lock/making"
	"dgd/internal/planfile"
	"dgd/internal/stage"
	"dgd/internal/workspace"
)

// planFlags are the flags of `dgd plan` that become settings of the plan.
type planFlags struct {
	src, builder, ldflags, gcflags, target, granularity string
	packages, excluded, tags, env                       []string
	testPackages, checkFlags, testData                  []string
	cgo, contentAddressed, tests, fallback              bool
}

// gowork is what the builder's env, or else the user's, says of the workspace.
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
The flags are the arguments of the builder; without them those hold that the file already has. The old
file stays until the new one is complete.`,
		Example: `  dgd plan --tags netgo --ldflags '-s -w'
  dgd plan             # anew, with the same settings
  dgd plan --check     # say which packages have another plan now`,
		Args:              misused(cobra.MaximumNArgs(1)),
		ValidArgsFunction: directories,
		RunE: func(cmd *cobra.Command, args []string) error {
			if asJSON && !check {
				return misuse{errors.New("--json is of what --check finds: give both")}
			}
			if withLock && check {
				return misuse{errors.New("--lock writes dgd.lock, and --check writes nothing: give one of them")}
			}
			project, err := lockedProject(args, f.gowork())
			if err != nil {
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
	flags.BoolVar(&withLock, "lock", false, "write dgd.lock before")
	flags.StringVar(&f.src, "src", "", "the builder's src is `DIR` (default: where the file is)")
	flags.StringVar(&f.builder, "builder", "buildGoModule", "the builder's `NAME`: buildGoModule, buildWithIFD or buildWithDynDrv")
	flags.StringArrayVar(&f.packages, "package", nil, "the builder's subPackages have `PACKAGE`")
	flags.StringArrayVar(&f.excluded, "exclude", nil, "the builder's excludedPackages have `PATTERN`")
	flags.StringSliceVar(&f.tags, "tags", nil, "the builder's `TAGS`")
	flags.StringVar(&f.ldflags, "ldflags", "", "the builder's ldflags, with spaces between them")
	flags.StringVar(&f.gcflags, "gcflags", "", "the builder's gcflags, with spaces between them")
	flags.StringArrayVar(&f.env, "env", nil, "the builder's env has `NAME=VALUE`")
	flags.StringVar(&f.target, "for", "linux/"+runtime.GOARCH, "the program runs on `GOOS/GOARCH`, or on some of these with commas between them")
	flags.BoolVar(&f.cgo, "cgo", true, "cgo is on, as where the builder's env does not say CGO_ENABLED")
	flags.BoolVar(&f.contentAddressed, "content-addressed", false, "the builder's contentAddressed is true: of a program with C there is another plan then")
	flags.StringVar(&f.granularity, "granularity", "module", "the builder's granularity, `package or module`")
	flags.BoolVar(&f.fallback, "fallback", true, "let the go command build in one derivation what cannot be planned package by package")
	flags.BoolVar(&f.tests, "tests", false, "plan the tests, too: a derivation for each package's")
	flags.StringArrayVar(&f.testPackages, "test-package", nil, "with --tests, the builder's testPackages have `PATTERN` (default: ./..., for buildGoModule its packages)")
	flags.StringArrayVar(&f.checkFlags, "check-flag", nil, "with --tests, the builder's checkFlags have `FLAG`")
	flags.StringArrayVar(&f.testData, "test-data", nil, "with --tests, the builder's testData have `[PACKAGE=]PATH`")
	return cmd
}

func runPlan(cmd *cobra.Command, project *making.Project, f *planFlags, check, asJSON bool) error {
	name := filepath.Join(project.Dir, planfile.Name)
	old, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if check && old == nil {
		return fmt.Errorf("there is no %s: run `dgd plan` in %s", planfile.Name, project.Dir)
	}
	cfg, err := f.config(cmd, project.Dir, name, old)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "dgd-plan-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := useModules(cmd.Context(), project, cfg, tmp); err != nil {
		return err
	}
	plans, err := makePlans(cmd.Context(), cfg, strings.Split(f.target, ","), tmp)
	if err != nil {
		return err
	}
	text := planfile.Format(plans)
	if check {
		return showDifferences(cmd, project, name, old, text, asJSON)
	}
	state := "stays as it was"
	if string(old) != string(text) {
		state = "is written"
		if err := making.ReplaceFile(name, text); err != nil {
			return err
		}
	}
	count := 0
	for _, p := range plans {
		count = max(count, len(p.Nodes))
	}
	cmd.PrintErrf("%s %s: %d packages and programs\n", name, state, count)
	return nil
}

// makePlans plans for each target.
func makePlans(ctx context.Context, cfg *stage.FileConfig, targets []string, tmp string) (map[string]*planfile.File, error) {
	plans := map[string]*planfile.File{}
	for _, target := range targets {
		goos, goarch, ok := strings.Cut(target, "/")
		if !ok || goos == "" || goarch == "" {
			return nil, misuse{fmt.Errorf("--for has %q, not GOOS/GOARCH", target)}
		}
		if plans[target] != nil {
			continue
		}
		one := *cfg
		one.Env = maps.Clone(cfg.Env)
		one.Env["GOOS"], one.Env["GOARCH"] = goos, goarch
		var err error
		if plans[target], err = stage.MakeFile(ctx, &one, filepath.Join(tmp, "plan", goos+"-"+goarch)); err != nil {
			if len(targets) > 1 {
				err = fmt.Errorf("for %s: %w", target, err)
			}
			return nil, err
		}
		if reason := plans[target].Unplanned; reason != "" {
			fmt.Fprintf(os.Stderr, "dgd: for %s, the go command will build the programs in one derivation, because dgd cannot plan them package by package (--fallback=false makes it an error): %s\n", target, reason)
		}
	}
	return plans, nil
}

// showDifferences prints the lines in which a plan differs from one made now.
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

// config is what to plan: by flags, and where these are not given by the settings
// of the file.
func (f *planFlags) config(cmd *cobra.Command, dir, name string, old []byte) (*stage.FileConfig, error) {
	if old != nil {
		if err := f.keep(cmd, name, old); err != nil && cmd.Flags().NFlag() == 0 {
			return nil, fmt.Errorf("%w; with flags that say its settings, `dgd plan` does not read the old file", err)
		}
	}
	goroot, err := making.Toolchain(cmd.Context(), &making.Project{Dir: dir})
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
	if f.fallback {
		cfg.Fallback = &stage.Fallback{UserEnv: true}
	}
	rel, err := filepath.Rel(cfg.Src, dir)
	if err != nil || !filepath.IsLocal(rel) {
		return nil, misuse{fmt.Errorf("--src is %s, and %s is not below it", f.src, dir)}
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
	if !slices.ContainsFunc(strings.Fields(ldflags), func(w string) bool { return strings.HasPrefix(w, "-buildid=") }) {
		ldflags = strings.TrimSpace(ldflags + " -buildid=")
	}
	// A plan outlives the values of variables, which are versions and revisions.
	hidden, _ := goflags.HideValues(ldflags)
	cfg.Flags = append(cfg.Flags, "-ldflags="+hidden)
	return cfg, nil
}

// ofTests are the tests to plan, or null.
func (f *planFlags) ofTests(cfg *stage.FileConfig) (*stage.FileTests, error) {
	if !f.tests {
		if len(f.testPackages)+len(f.checkFlags)+len(f.testData) > 0 {
			return nil, misuse{errors.New("--test-package, --check-flag and --test-data are of --tests: give that, too")}
		}
		return nil, nil
	}
	t := &stage.FileTests{Packages: f.testPackages, CheckFlags: f.checkFlags, Data: map[string][]string{}}
	if len(t.Packages) == 0 {
		t.Packages = []string{"./..."}
		if cfg.Libraries {
			t.Packages = cfg.Package
		}
	}
	if t.CheckFlags == nil {
		t.CheckFlags = []string{}
	}
	for _, d := range f.testData {
		name, path, ok := strings.Cut(d, "=")
		if !ok {
			name, path = bind.AllTests, d
		}
		t.Data[name] = append(t.Data[name], path)
	}
	return t, nil
}

// keep takes the settings of a file for flags that are not given.
func (f *planFlags) keep(cmd *cobra.Command, name string, old []byte) error {
	lines, err := planfile.Lines(name, old)
	if err != nil {
		return err
	}
	targets := planfile.Targets(lines)
	if len(targets) == 0 {
		return fmt.Errorf("%s is for no target", name)
	}
	facts, err := planfile.Read(name, lines, targets[0])
	if err != nil {
		return err
	}
	var s struct {
		Cgo                  bool
		Env                  map[string]string
		Flags                []string
		Granularity, ModRoot string
		Libraries            bool
		Packages, Excluded   []string
		Tests                *planfile.TestSettings
	}
	for key, field := range map[string]any{
		"cgo": &s.Cgo, "env": &s.Env, "flags": &s.Flags, "granularity": &s.Granularity, "libraries": &s.Libraries,
		"packages": &s.Packages, "excluded": &s.Excluded, "modRoot": &s.ModRoot, "tests": &s.Tests,
	} {
		if facts.Settings[key] == nil && key == "tests" {
			continue
		}
		if err := json.Unmarshal(facts.Settings[key], field); err != nil {
			return fmt.Errorf("%s: the setting %s: %w", name, key, err)
		}
	}
	if value := facts.Settings["contentAddressed"]; value != nil && !cmd.Flags().Changed("content-addressed") {
		f.contentAddressed = string(value) == "true"
	}
	given := func(flag string) bool { return cmd.Flags().Changed(flag) }
	if !given("builder") && !s.Libraries {
		f.builder = "buildWithIFD"
	}
	if !given("src") && s.ModRoot != "." {
		f.src = strings.TrimSuffix(filepath.Dir(name), string(filepath.Separator)+filepath.FromSlash(s.ModRoot))
	}
	// Without a list, builders have different packages.
	if !given("package") && (!given("builder") || (f.builder == "buildGoModule") == s.Libraries) {
		f.packages = s.Packages
	}
	f.keepTests(s.Tests, given)
	if !given("exclude") {
		f.excluded = s.Excluded
	}
	if !given("for") {
		f.target = strings.Join(targets, ",")
	}
	if !given("cgo") {
		f.cgo = s.Cgo
	}
	if !given("granularity") {
		f.granularity = s.Granularity
	}
	if !given("env") {
		for name, value := range s.Env {
			f.env = append(f.env, name+"="+value)
		}
	}
	for _, flag := range s.Flags {
		if value, ok := strings.CutPrefix(flag, "-tags="); ok && !given("tags") {
			f.tags = strings.Split(value, ",")
		}
		if value, ok := strings.CutPrefix(flag, "-ldflags="); ok && !given("ldflags") {
			f.ldflags = value
		}
		if value, ok := strings.CutPrefix(flag, "-gcflags="); ok && !given("gcflags") {
			f.gcflags = value
		}
	}
	return nil
}

// keepTests takes a file's settings of tests for flags that are not given.
func (f *planFlags) keepTests(t *planfile.TestSettings, given func(flag string) bool) {
	if !given("tests") {
		f.tests = t != nil
	}
	if !f.tests || t == nil {
		return
	}
	if !given("test-package") && !given("package") {
		f.testPackages = t.Packages
	}
	if !given("check-flag") {
		f.checkFlags = t.CheckFlags
	}
	if !given("test-data") {
		for _, name := range slices.Sorted(maps.Keys(t.Data)) {
			for _, path := range t.Data[name] {
				if name != bind.AllTests {
					path = name + "=" + path
				}
				f.testData = append(f.testData, path)
			}
		}
	}
}

// useModules takes the modules of the project's lock, if it has one.
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
