package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"dgd/internal/inspect/drvdiff"
	"dgd/internal/nix/store"
)

func newDiff() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Which derivations two states of a build have in common, and why not the others",
		Long: `Compares the derivations of two states of a build by their resolved inputs: by what came out of what
they refer to. For each one that differs it says which file, module, flag or toolchain made it
differ, or which other one that it refers to.

OLD and NEW are store paths of derivations, as nix-instantiate prints them, or outputs, or links such
as result. An output's derivation is the one that made it first: derivations that gave equal outputs
count as the same there. The exit status is 1 where there are differences.`,
		Example: `  before=$(nix-instantiate)
  nix-build
  $EDITOR internal/server/server.go
  nix-build
  dgd diff $before $(nix-instantiate)`,
		Args: misused(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, err := diff(cmd, args[0], args[1])
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if asJSON {
				err = printJSON(out, report)
			} else {
				err = printDiff(out, newPainter(out), report)
			}
			if err == nil && !report.Same() {
				err = errFinding
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func diff(cmd *cobra.Command, before, after string) (*drvdiff.Report, error) {
	ctx := cmd.Context()
	st, err := store.Open(ctx, cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	defer st.Close()
	var drvs []string
	for _, arg := range []string{before, after} {
		drv, err := st.Deriver(ctx, arg)
		if err != nil {
			return nil, err
		}
		drvs = append(drvs, drv)
	}
	return drvdiff.Compare(ctx, st, drvs[0], drvs[1])
}

// printJSON writes a value as indented JSON.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// shown is the greatest number of causes that printDiff prints for a derivation.
const shown = 10

// printDiff writes a report for people.
func printDiff(out io.Writer, p painter, r *drvdiff.Report) error {
	w := bufio.NewWriter(out)
	for _, item := range r.OnlyOld {
		fmt.Fprintf(w, "%s %s: only in the old state\n", p.red("-"), p.bold(item.Name))
	}
	for _, item := range r.OnlyNew {
		fmt.Fprintf(w, "%s %s: only in the new state\n", p.green("+"), p.bold(item.Name))
	}
	for _, group := range grouped(r.Differ) {
		name, pair := group[0].Name, group[0]
		if len(group) > 1 {
			var list []string
			for _, pair := range group {
				list = append(list, pair.Name)
			}
			name = some(list)
		}
		fmt.Fprintf(w, "~ %s\n", p.bold(name))
		for i, c := range pair.Causes {
			if i == shown {
				fmt.Fprintf(w, "    and %d more causes\n", len(pair.Causes)-shown)
				break
			}
			fmt.Fprintf(w, "    %s\n", c)
		}
		if len(pair.Because) > 0 && len(group) == 1 {
			fmt.Fprintf(w, "    because of %s\n", because(pair))
		}
	}
	if len(r.Unbuilt) > 0 {
		fmt.Fprintf(w, "Not built yet: %s. Derivations that depend on them count as different.\n", some(names(r.Unbuilt)))
	}
	if len(r.Planning.Differ) > 0 {
		fmt.Fprintf(w, "Planning: %d in common, %d differ (%s).\n", r.Planning.Common, len(r.Planning.Differ), strings.Join(r.Planning.Differ, ", "))
	}
	fmt.Fprintf(w, "%d in common, %d differ, %d only in the old state, %d only in the new one.\n", r.Common, len(r.Differ), len(r.OnlyOld), len(r.OnlyNew))
	return w.Flush()
}

// grouped returns the pairs in groups. More than three pairs with the same causes,
// such as another toolchain, are one group; any other pair is a group of its own.
func grouped(pairs []drvdiff.Pair) [][]drvdiff.Pair {
	key := func(p drvdiff.Pair) string { return fmt.Sprint(p.Causes) }
	byKey := map[string][]drvdiff.Pair{}
	for _, p := range pairs {
		byKey[key(p)] = append(byKey[key(p)], p)
	}
	var groups [][]drvdiff.Pair
	for _, p := range pairs {
		same := byKey[key(p)]
		switch {
		case len(p.Causes) == 0 || len(same) > 0 && len(same) <= 3:
			groups = append(groups, []drvdiff.Pair{p})
		case len(same) > 0:
			groups = append(groups, same)
			byKey[key(p)] = nil
		}
	}
	return groups
}

// because returns the names of the dependencies that make a pair differ, and of the
// derivations in which these differences begin.
func because(pair drvdiff.Pair) string {
	text := some(pair.Because)
	direct := map[string]bool{}
	for _, name := range pair.Because {
		direct[name] = true
	}
	var far []string
	for _, name := range pair.Roots {
		if !direct[name] {
			far = append(far, name)
		}
	}
	if len(far) > 0 {
		text += ", caused by " + some(far)
	}
	return text
}

func names(items []drvdiff.Item) []string {
	var list []string
	for _, item := range items {
		list = append(list, item.Name)
	}
	return list
}

// some returns a list as text, shortened if it is long.
func some(list []string) string {
	const most = 5
	if len(list) > most+1 {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
	}
	return strings.Join(list, ", ")
}
