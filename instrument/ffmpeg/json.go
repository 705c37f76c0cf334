package ffmpeg

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// These types decode the output of ffprobe. Any value may be malformed, since it comes from a file;
// the others are decoded all the same.
type (
	probeAnswer struct {
		Format  lenient[probeFormat] `json:"format"`
		Streams probeStreams         `json:"streams"`
	}
	probeFormat struct {
		Name     text      `json:"format_name"`
		LongName text      `json:"format_long_name"`
		Start    text      `json:"start_time"`
		Duration text      `json:"duration"`
		Size     text      `json:"size"`
		BitRate  text      `json:"bit_rate"`
		Tags     probeTags `json:"tags"`
	}
	probeStream struct {
		Index         text                                `json:"index"`
		Type          text                                `json:"codec_type"`
		Codec         text                                `json:"codec_name"`
		Profile       text                                `json:"profile"`
		Start         text                                `json:"start_time"`
		Duration      text                                `json:"duration"`
		Frames        text                                `json:"nb_frames"`
		BitRate       text                                `json:"bit_rate"`
		Width         text                                `json:"width"`
		Height        text                                `json:"height"`
		PixelFormat   text                                `json:"pix_fmt"`
		AvgRate       text                                `json:"avg_frame_rate"`
		BaseRate      text                                `json:"r_frame_rate"`
		SampleRate    text                                `json:"sample_rate"`
		Channels      text                                `json:"channels"`
		ChannelLayout text                                `json:"channel_layout"`
		SampleFormat  text                                `json:"sample_fmt"`
		Disposition   lenient[map[string]text]            `json:"disposition"`
		Tags          probeTags                           `json:"tags"`
		SideData      lenient[[]lenient[map[string]text]] `json:"side_data_list"`
	}
)

// probeTags decodes an object of at most maxTags tags. It is empty if the JSON is something else.
type probeTags map[string]text

func (m *probeTags) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	*m = probeTags{}
	for d.More() && len(*m) < maxTags {
		key, err := d.Token()
		if err != nil {
			return nil
		}
		var value text
		if d.Decode(&value) != nil {
			return nil
		}
		(*m)[key.(string)] = value
	}
	return nil
}

// lenient decodes a T. It is the zero value if the JSON is something else.
type lenient[T any] struct{ v T }

func (l *lenient[T]) UnmarshalJSON(b []byte) error {
	var v T
	if json.Unmarshal(b, &v) == nil {
		l.v = v
	}
	return nil
}

// text decodes a JSON string or number as text. It is "" for anything else and for N/A.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	*t = ""
	var s string
	switch {
	case len(b) > 0 && b[0] == '"' && json.Unmarshal(b, &s) == nil && s != "N/A":
		*t = text(s)
	case len(b) > 0 && (b[0] == '-' || b[0] >= '0' && b[0] <= '9'):
		*t = text(b)
	}
	return nil
}

func (t text) float() float64 {
	f, err := strconv.ParseFloat(strings.TrimSpace(string(t)), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return f
}

// number returns t as a whole number from 0 to limit, else 0.
func (t text) number(limit int64) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(string(t)), 10, 64)
	if err != nil || n < 0 || n > limit {
		return 0
	}
	return n
}

func (t text) integer() int { return int(t.number(math.MaxInt32)) }

// seconds returns t as a time of either sign, or 0 if it exceeds the 292 years of a time.Duration.
func (t text) seconds() time.Duration {
	ns := t.float() * float64(time.Second)
	if math.Abs(ns) >= math.MaxInt64 {
		return 0
	}
	return time.Duration(math.Round(ns))
}

// clock returns t as a length, written as in Matroska's tag DURATION: 00:00:04.023000000.
func (t text) clock() time.Duration {
	parts := strings.Split(string(t), ":")
	if len(parts) != 3 {
		return 0
	}
	h, m, s := text(parts[0]).number(1<<20), text(parts[1]).number(59), text(parts[2]).seconds()
	if s < 0 || s >= time.Minute {
		return 0
	}
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + s
}

// ratio returns the value of a fraction such as 30000/1001, or 0 if it cannot be a frame rate.
func (t text) ratio() float64 {
	n, d, _ := strings.Cut(string(t), "/")
	num, den := text(n).float(), text(d).float()
	if r := num / den; den != 0 && r > 0 && r <= 1e6 {
		return r
	}
	return 0
}

func parseInfo(b []byte) (Info, error) {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || b[0] != '{' {
		return Info{}, errors.New("no JSON object")
	}
	var a probeAnswer
	if err := json.Unmarshal(b, &a); err != nil {
		return Info{}, err
	}
	f := a.Format.v
	info := Info{Format: Format{
		Name: string(f.Name), LongName: string(f.LongName), Tags: tags(f.Tags),
		Start: f.Start.seconds(), Duration: max(f.Duration.seconds(), 0),
		Size: f.Size.number(math.MaxInt64), BitRate: f.BitRate.number(math.MaxInt64),
	}}
	for _, s := range a.Streams {
		info.Streams = append(info.Streams, s.stream())
	}
	return info, nil
}

// probeStreams decodes a list of at most maxStreams streams, which take more memory than their
// text. It is empty if the JSON is something else.
type probeStreams []probeStream

func (l *probeStreams) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil
	}
	for d.More() && len(*l) < maxStreams {
		var s lenient[probeStream]
		if d.Decode(&s) != nil {
			return nil
		}
		*l = append(*l, s.v)
	}
	return nil
}

func (p probeStream) stream() Stream {
	s := Stream{
		Index: p.Index.integer(), Type: string(p.Type), Codec: string(p.Codec), Profile: string(p.Profile),
		Start: p.Start.seconds(), Duration: max(p.Duration.seconds(), 0),
		Frames: p.Frames.number(math.MaxInt64), BitRate: p.BitRate.number(math.MaxInt64),
		Width: p.Width.integer(), Height: p.Height.integer(), Rotation: p.rotation(), PixelFormat: string(p.PixelFormat),
		FrameRate: p.AvgRate.ratio(), BaseRate: p.BaseRate.ratio(),
		StillPicture: p.has("attached_pic") || p.has("still_image") || p.has("timed_thumbnails"),
		SampleRate:   p.SampleRate.integer(), Channels: p.Channels.integer(),
		ChannelLayout: string(p.ChannelLayout), SampleFormat: string(p.SampleFormat),
		Default: p.has("default"), Tags: tags(p.Tags),
	}
	if s.Duration == 0 {
		s.Duration = p.tag("duration").clock()
	}
	if s.Frames == 0 {
		s.Frames = p.tag("number_of_frames").number(math.MaxInt64)
	}
	s.Language = string(p.tag("language"))
	return s
}

func (p probeStream) has(disposition string) bool { return p.Disposition.v[disposition].float() != 0 }

// tag returns a tag in lower or, as in Matroska, upper case.
func (p probeStream) tag(name string) text {
	if v, ok := p.Tags[name]; ok {
		return v
	}
	return p.Tags[strings.ToUpper(name)]
}

// rotation returns the rotation of the display matrix, which ffprobe prints counter-clockwise, else
// that of the tag of older files.
func (p probeStream) rotation() int {
	degrees := p.tag("rotate").float()
	for _, side := range p.SideData.v {
		if r, ok := side.v["rotation"]; ok {
			degrees = -r.float()
			break
		}
	}
	turn := math.Mod(math.Round(math.Mod(degrees, 360)), 360)
	if turn < 0 {
		turn += 360
	}
	return int(turn)
}

func tags(m probeTags) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = string(v)
	}
	return out
}
