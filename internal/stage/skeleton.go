package stage

import (
	"context"
	"errors"
	"os"

	"dgd/internal/skeleton"
)

// SkeletonConfig is the configuration of WriteSkeleton.
type SkeletonConfig struct {
	Src   string `json:"src"`
	Tests bool   `json:"tests"` // for a plan of tests
	// ModRoot, Env and Settings are as in Config: flags may name files.
	ModRoot  string            `json:"modRoot"`
	Env      map[string]string `json:"env"`
	Settings string            `json:"settings"`
}

// WriteSkeleton writes the skeleton of the sources to the new file out.
func WriteSkeleton(ctx context.Context, cfg *SkeletonConfig, out string) error {
	plan := Config{Settings: cfg.Settings, ModRoot: cfg.ModRoot, Env: cfg.Env}
	if err := plan.readSettings(cfg.Src); err != nil {
		return err
	}
	whole := overlaid(cfg.Src, plan.ModRoot, plan.Env)
	f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	write := skeleton.Write
	if cfg.Tests {
		write = skeleton.WriteTests
	}
	err = write(ctx, f, cfg.Src, whole...)
	return errors.Join(err, f.Close())
}
