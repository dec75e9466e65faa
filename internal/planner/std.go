package planner

import (
	"fmt"
	"strings"
)

// forStd returns the configuration that the standard library is planned with:
// of the flags of go build those that reach it in a program's build. `go build
// std` names its packages on the command line, which a program's build does
// not, and has no program.
func forStd(cfg *Config) (*Config, error) {
	std := *cfg
	std.Flags = stdFlags(cfg.Flags)
	std.Env = map[string]string{}
	for name, value := range cfg.Env {
		std.Env[name] = value
	}
	if words := std.Env["GOFLAGS"]; words != "" {
		flags, err := splitGoflags(words)
		if err != nil {
			return nil, err
		}
		std.Env["GOFLAGS"] = joinGoflags(stdFlags(flags))
	}
	return &std, nil
}

// stdFlags is forStd for a list of flags. What it leaves too much or too little
// makes the program's standard library differ from the planned one, which costs
// a build of it and no more: see graph.Merge.
func stdFlags(flags []string) []string {
	var list []string
	for _, flag := range flags {
		name, value, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
		switch name {
		case "cover", "covermode", "coverpkg", "ldflags":
			continue // the main module's, the program's
		case "gcflags", "asmflags":
			// Without a pattern before them they hold for the packages that are
			// named.
			if value = strings.TrimSpace(value); value == "" || value[0] == '-' {
				continue
			}
		case "buildmode":
			switch value {
			case "c-archive", "c-shared":
				flag = "-buildmode=pie" // compiled alike
			case "exe":
				flag = "-buildmode=archive"
			case "plugin":
				continue
			}
		}
		list = append(list, flag)
	}
	return list
}

// splitGoflags splits $GOFLAGS as the go command does: at white space, where a
// word that begins with a quote goes on to the next one.
func splitGoflags(s string) ([]string, error) {
	const space = " \t\n\r"
	var words []string
	for s = strings.TrimLeft(s, space); s != ""; s = strings.TrimLeft(s, space) {
		if quote := s[0]; quote == '"' || quote == '\'' {
			word, rest, ok := strings.Cut(s[1:], string(quote))
			if !ok {
				return nil, fmt.Errorf("GOFLAGS: a quote has no end: %s", s)
			}
			words, s = append(words, word), rest
			continue
		}
		end := strings.IndexAny(s, space)
		if end < 0 {
			end = len(s)
		}
		words, s = append(words, s[:end]), s[end:]
	}
	return words, nil
}

// joinGoflags undoes splitGoflags. A flag with white space in it has been quoted,
// so that it holds one kind of quotes at most.
func joinGoflags(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quote := ""
		if strings.ContainsAny(w, " \t\n\r") {
			quote = `"`
			if strings.Contains(w, quote) {
				quote = "'"
			}
		}
		quoted[i] = quote + w + quote
	}
	return strings.Join(quoted, " ")
}
