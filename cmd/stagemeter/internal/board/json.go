package board

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/feed"
)

// documentVersion is that of the documents below. Within a version fields are only added.
// docs/livepage.md describes each.
const documentVersion = 1

type document struct {
	V         int           `json:"v"`
	Time      int64         `json:"time"`
	Workers   []workerInfo  `json:"workers"`
	Jobs      []workersJob  `json:"jobs"`
	Attention []noticeOfOne `json:"attention"`
}

type workerInfo struct {
	Worker   string    `json:"worker"` // its URL
	State    State     `json:"state"`
	Error    string    `json:"error,omitempty"`
	Heard    int64     `json:"heard,omitempty"`
	Name     feed.Text `json:"name,omitempty"`
	Instance feed.Text `json:"instance,omitempty"`
	Version  feed.Text `json:"version,omitempty"`
	Running  *int      `json:"running"`
	Listed   *int      `json:"listed"`
}

type noticeOfOne struct {
	Worker string `json:"worker"`
	feed.Notice
}

// A workersJob is a job as its worker sent it, with the worker.
type workersJob struct {
	worker string
	raw    json.RawMessage
}

// MarshalJSON puts the worker before the fields of the job.
func (j workersJob) MarshalJSON() ([]byte, error) {
	name, err := json.Marshal(j.worker)
	if err != nil {
		return nil, err
	}
	fields := bytes.TrimPrefix(bytes.TrimSpace(j.raw), []byte("{"))
	comma := ","
	if bytes.HasPrefix(bytes.TrimSpace(fields), []byte("}")) {
		comma = ""
	}
	return append([]byte(`{"worker":`+string(name)+comma), fields...), nil
}

// JSON returns rows and workers as one document on one line. Jobs have all fields that their worker
// sent; those of a lost worker are left out. Characters that steer a terminal are escaped.
func (b *Board) JSON(rows []Row, now time.Time) ([]byte, error) {
	doc := document{V: documentVersion, Time: now.UnixMilli(), Workers: []workerInfo{}, Jobs: []workersJob{}, Attention: []noticeOfOne{}}
	for i := range b.Workers {
		w := &b.Workers[i]
		info := workerInfo{Worker: w.URL.String(), State: w.State(), Error: w.Err}
		if w.Snap != nil {
			listed, s := len(w.Snap.Jobs), w.Snap.Service
			info.Heard, info.Name, info.Instance, info.Version = w.Heard.UnixMilli(), s.Name, s.Instance, s.Version
			info.Running, info.Listed = &w.Snap.Running, &listed
		}
		doc.Workers = append(doc.Workers, info)
		if info.State == Live {
			for _, n := range w.Snap.Attention {
				doc.Attention = append(doc.Attention, noticeOfOne{info.Worker, n})
			}
		}
	}
	for _, r := range rows {
		if !r.Lost {
			doc.Jobs = append(doc.Jobs, workersJob{b.Workers[r.Worker].URL.String(), r.Job.Raw})
		}
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	return append(escape(text), '\n'), nil
}

// escape writes the characters of a JSON text that cannot be printed as JSON's escapes.
func escape(text []byte) []byte {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, len(text))
	for _, r := range string(text) {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			out = append(out, string(r)...)
			continue
		}
		units := utf16.AppendRune(nil, r)
		for _, u := range units {
			out = append(out, '\\', 'u', digits[u>>12], digits[u>>8&15], digits[u>>4&15], digits[u&15])
		}
	}
	return out
}
