package nix

import (
	"bytes"
	"encoding/json"
	"path"
	"strings"
	"time"
)

// An eventLog reads Nix's internal-json log, line by line as it comes.
type eventLog struct {
	rest     []byte            // of an unfinished line
	stop     map[uint64]func() // what is to be done when an activity ends
	built    []Derivation
	messages strings.Builder
}

// kindBuild is what Nix calls the building of one derivation.
const kindBuild = 105

func (l *eventLog) Write(text []byte) (int, error) {
	l.rest = append(l.rest, text...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			return len(text), nil
		}
		l.line(line)
		l.rest = rest
	}
}

func (l *eventLog) line(line []byte) {
	var e struct {
		Action, Msg string
		ID          uint64
		Type        int
		Fields      []any
	}
	text, ok := bytes.CutPrefix(line, []byte("@nix "))
	if !ok || json.Unmarshal(text, &e) != nil {
		l.messages.Write(append(line, '\n'))
		return
	}
	switch {
	case e.Action == "msg":
		l.messages.WriteString(e.Msg + "\n")
	case e.Action == "start" && e.Type == kindBuild && len(e.Fields) > 0:
		if drv, ok := e.Fields[0].(string); ok {
			_, name, _ := strings.Cut(strings.TrimSuffix(path.Base(drv), ".drv"), "-")
			start := time.Now()
			l.stop[e.ID] = func() { l.built = append(l.built, Derivation{name, time.Since(start)}) }
		}
	case e.Action == "stop" && l.stop[e.ID] != nil:
		l.stop[e.ID]()
		delete(l.stop, e.ID)
	}
}
