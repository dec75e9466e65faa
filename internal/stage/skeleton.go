package stage

import (
	"context"
	"os"

	"dgd/internal/skeleton"
)

// SkeletonConfig says what to make a skeleton of.
type SkeletonConfig struct {
	Src   string `json:"src"`
	Tests bool   `json:"tests"` // for a plan of tests
	// For flags that name files: see Config.
	ModRoot  string            `json:"modRoot"`
	Env      map[string]string `json:"env"`
	Settings string            `json:"settings"`
}

// WriteSkeleton writes what a plan depends on of the sources to the new file out.
func WriteSkeleton(ctx context.Context, cfg *SkeletonConfig, out string) (err error) {
	plan := Config{Settings: cfg.Settings, ModRoot: cfg.ModRoot, Env: cfg.Env}
	if err := plan.readSettings(cfg.Src); err != nil {
		return err
	}
	whole := overlaid(cfg.Src, plan.ModRoot, plan.Env)
	f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	if cfg.Tests {
		return skeleton.WriteTests(ctx, f, cfg.Src, whole...)
	}
	return skeleton.Write(ctx, f, cfg.Src, whole...)
}
