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
	rest     []byte // of an unfinished line
	started  map[uint64]event
	built    []Derivation
	messages strings.Builder
}

type event struct {
	name string
	at   time.Time
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
		l.line(line, time.Now())
		l.rest = rest
	}
}

func (l *eventLog) line(line []byte, at time.Time) {
	text, ok := bytes.CutPrefix(line, []byte("@nix "))
	if !ok {
		l.messages.Write(append(line, '\n'))
		return
	}
	var e struct {
		Action, Msg string
		ID          uint64
		Type        int
		Fields      []json.RawMessage
	}
	if err := json.Unmarshal(text, &e); err != nil {
		l.messages.Write(append(line, '\n'))
		return
	}
	switch {
	case e.Action == "msg":
		l.messages.WriteString(e.Msg + "\n")
	case e.Action == "start" && e.Type == kindBuild && len(e.Fields) > 0:
		var drv string
		if json.Unmarshal(e.Fields[0], &drv) == nil {
			if l.started == nil {
				l.started = map[uint64]event{}
			}
			l.started[e.ID] = event{Name(drv), at}
		}
	case e.Action == "stop":
		if b, ok := l.started[e.ID]; ok {
			delete(l.started, e.ID)
			l.built = append(l.built, Derivation{b.name, at.Sub(b.at)})
		}
	}
}

// Name is the name in a .drv file's store path.
func Name(drv string) string {
	_, name, _ := strings.Cut(strings.TrimSuffix(path.Base(drv), ".drv"), "-")
	return name
}
