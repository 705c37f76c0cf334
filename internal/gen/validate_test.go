package main

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// Each row spoils one place of the registry in testdata.
func TestInvalidRegistry(t *testing.T) {
	tests := []struct {
		reason   string
		file     string
		old, new string
		want     string
	}{
		{
			reason: "two groups would be one to Weaver",
			file:   "memory.yaml", old: "id: metric.video.processing.frames_held", new: "id: metric.video.processing.frames",
			want: `memory.yaml: metric.video.processing.frames: group id "metric.video.processing.frames" is already taken by metric.video.processing.frames`,
		},
		{
			reason: "two instruments with one name can't be told apart",
			file:   "memory.yaml", old: "metric_name: video.processing.frames_held", new: "metric_name: video.processing.frames",
			want: `metric_name "video.processing.frames" is already taken by metric.video.processing.frames`,
		},
		{
			reason: "two metrics with one Prometheus name make a scrape fail",
			file:   "memory.yaml", old: "prometheus: video_processing_frames_held", new: "prometheus: video_processing_frames_total",
			want: `prometheus name "video_processing_frames_total" is already taken by metric.video.processing.frames`,
		},
		{
			reason: "two names that differ in OTel are one in Go",
			file:   "memory.yaml", old: "metric_name: video.processing.frames_held", new: "metric_name: video.processing.frame.size",
			want: `Go name "FrameSize" is already taken by metric.video.processing.frame_size`,
		},
		{
			reason: "one metric's constructor is the other's type",
			file:   "memory.yaml", old: "metric_name: video.processing.frames_held", new: "metric_name: video.processing.new_frames",
			want: `Go name "NewFrames" is already taken by metric.video.processing.frames`,
		},
		{
			reason: "a type that package instruments has already",
			file:   "memory.yaml", old: "metric_name: video.processing.frames_held", new: "metric_name: video.processing.set",
			want: `metric_name "video.processing.set" gives "Set", which is no name for a Go type or is taken`,
		},
		{
			reason: "no Go name begins with a digit",
			file:   "memory.yaml", old: "metric_name: video.processing.frames_held", new: "metric_name: video.processing.3d_frames",
			want: `metric_name "video.processing.3d_frames" gives "3dFrames", which is no name for a Go type or is taken`,
		},
		{
			reason: "an attribute is defined once",
			file:   "attributes.yaml", old: "id: file.path", new: "id: codec",
			want: `attribute "codec" is already taken by registry.test`,
		},
		{
			reason: "two keys that differ in OTel are one label in Prometheus",
			file:   "attributes.yaml", old: "id: codec", new: "id: file_path",
			want: `attribute label "file_path" is already taken by registry.test`,
		},
		{
			reason: "a ref to nothing",
			file:   "frames.yaml", old: "ref: codec", new: "ref: kodec",
			want: `frames.yaml: metric.video.processing.frames: ref "kodec" is no attribute of the registry`,
		},
		{
			reason: "the same ref twice would be a duplicate label",
			file:   "frames.yaml", old: "ref: file.path", new: "ref: codec",
			want: `attribute "codec" is referred to twice`,
		},
		{
			reason: "an attribute that is defined inside a metric has no Go key",
			file:   "frames.yaml", old: "ref: codec", new: "id: codec",
			want: `attribute "codec": a metric takes attributes by ref`,
		},
		{
			reason: "an attribute group defines, it does not refer",
			file:   "attributes.yaml", old: "id: codec", new: "ref: codec",
			want: `an attribute of an attribute_group needs an id`,
		},
		{
			reason: "recommended would leave it open whether the label is there",
			file:   "frames.yaml", old: "requirement_level: required", new: "requirement_level: recommended",
			want: `ref "codec": requirement_level "recommended" is none of required, opt_in`,
		},
		{
			reason: "a definition that nothing uses is a leftover",
			file:   "frames.yaml", old: "      - ref: file.path\n        requirement_level: opt_in\n        note: with WithPath\n", new: "",
			want: `no metric uses attribute file.path`,
		},
		{
			reason: "a bucket list that nothing uses is a leftover",
			file:   "attributes.yaml", old: "short: [0.5, 1, 2]", new: "short: [0.5, 1, 2]\n          long: [60]",
			want: `no metric uses bucket list long`,
		},
		{
			reason: "an SDK counts into the wrong bucket if they are not sorted",
			file:   "attributes.yaml", old: "[0.5, 1, 2]", new: "[0.5, 2, 1]",
			want: `attributes.yaml: registry.test: buckets short: 1 does not come after 2`,
		},
		{
			reason: "the same boundary twice is an empty bucket",
			file:   "frames.yaml", old: "[1024, 65536]", new: "[1024, 1024]",
			want: `buckets: 1024 does not come after 1024`,
		},
		{
			reason: "the last bucket reaches to infinity without being told",
			file:   "frames.yaml", old: "[1024, 65536]", new: "[1024, .inf]",
			want: `buckets: +Inf is not finite`,
		},
		{
			reason: "an empty list is one bucket",
			file:   "frames.yaml", old: "[1024, 65536]", new: "[]",
			want: `buckets: the list is empty`,
		},
		{
			reason: "boundaries are numbers",
			file:   "frames.yaml", old: "[1024, 65536]", new: "[1k, 64k]",
			want: "cannot unmarshal",
		},
		{
			reason: "a name that is no bucket list",
			file:   "frames.yaml", old: "buckets: short", new: "buckets: shrot",
			want: `there is no bucket list "shrot"; there are [short]`,
		},
		{
			reason: "the SDK's default boundaries are milliseconds",
			file:   "frames.yaml", old: "        buckets: short\n", new: "",
			want: `a histogram needs buckets`,
		},
		{
			reason: "boundaries of a counter would be ignored",
			file:   "frames.yaml", old: "value: int", new: "value: int\n        buckets: short",
			want: `a counter has no buckets`,
		},
		{
			reason: "the Prometheus name is a contract and has to be written down",
			file:   "frames.yaml", old: "        prometheus: video_processing_frames_total\n", new: "",
			want: `prometheus is missing`,
		},
		{
			reason: "a counter gets _total",
			file:   "frames.yaml", old: "video_processing_frames_total", new: "video_processing_frames",
			want: `prometheus is "video_processing_frames", but metric_name "video.processing.frames", unit "{frame}" and instrument counter give "video_processing_frames_total"`,
		},
		{
			reason: "a unit becomes a suffix",
			file:   "frames.yaml", old: "unit: s\n", new: "unit: ms\n",
			want: `unit "ms" and instrument histogram give "video_processing_frame_delay_milliseconds"`,
		},
		{
			reason: "a gauge of unit 1 gets _ratio, which an up-down counter does not",
			file:   "memory.yaml", old: "instrument: updowncounter\n    unit: \"{frame}\"", new: "instrument: gauge\n    unit: \"1\"",
			want: `unit "1" and instrument gauge give "video_processing_frames_held_ratio"`,
		},
		{
			reason: "an unknown instrument",
			file:   "frames.yaml", old: "instrument: counter", new: "instrument: summary",
			want: `instrument "summary" is none of counter, gauge, histogram, updowncounter`,
		},
		{
			reason: "an unknown type of group",
			file:   "frames.yaml", old: "type: metric", new: "type: span",
			want: `type "span" is none of attribute_group, metric`,
		},
		{
			reason: "without a unit nobody can read the value",
			file:   "frames.yaml", old: "    unit: s\n", new: "",
			want: `unit is missing`,
		},
		{
			reason: "a name outside the namespace",
			file:   "memory.yaml", old: "metric_name: video.processing.frames_held", new: "metric_name: audio.frames_held",
			want: `metric_name "audio.frames_held" begins with none of video.processing., gen_ai.`,
		},
		{
			reason: "Weaver's convention for ids",
			file:   "memory.yaml", old: "id: metric.video.processing.frames_held", new: "id: frames_held",
			want: `id of a metric is "metric.video.processing.frames_held"`,
		},
		{
			reason: "no HELP",
			file:   "frames.yaml", old: "    brief: Number of frames.\n", new: "",
			want: `brief is missing`,
		},
		{
			reason: "HELP is a sentence",
			file:   "frames.yaml", old: "brief: Number of frames.", new: "brief: Number of frames",
			want: `brief "Number of frames" is not one line that ends with a full stop`,
		},
		{
			reason: "HELP is one line",
			file:   "frames.yaml", old: "brief: Number of frames.", new: `brief: "Number\nof frames."`,
			want: `is not one line that ends with a full stop`,
		},
		{
			reason: "an attribute is explained too",
			file:   "attributes.yaml", old: "        brief: The codec.\n", new: "",
			want: `attribute "codec": brief is missing`,
		},
		{
			reason: "an unknown stability",
			file:   "frames.yaml", old: "stability: stable", new: "stability: experimental",
			want: `stability "experimental" is none of development, stable`,
		},
		{
			reason: "the number type decides on the instrument",
			file:   "frames.yaml", old: "value: int", new: "value: float",
			want: `value "float" is none of int, double`,
		},
		{
			reason: "OTel has no observable histogram",
			file:   "frames.yaml", old: "value: double", new: "value: double\n        async: true",
			want: `there is no async histogram`,
		},
		{
			reason: "a metric that nothing records",
			file:   "frames.yaml", old: "        recorded_by: [Frame.End]\n", new: "",
			want: `recorded_by is missing`,
		},
		{
			reason: "a closed set has a Go type",
			file:   "frames.yaml", old: "go_type: FrameOutcome, ", new: "",
			want: `ref "outcome": a closed set of values needs a go_type`,
		},
		{
			reason: "an open set has none",
			file:   "memory.yaml", old: "requirement_level: required", new: "requirement_level: required\n        annotations: {stagemeter: {go_type: Codec}}",
			want: `ref "codec": go_type, members and open are for attributes with a closed set of values`,
		},
		{
			reason: "a value that the set does not hold",
			file:   "frames.yaml", old: "members: [dropped, kept]", new: "members: [dropped, lost]",
			want: `ref "outcome": there is no member "lost"`,
		},
		{
			reason: "the same value twice",
			file:   "attributes.yaml", old: "value: dropped", new: "value: kept",
			want: `attribute "outcome": member "dropped" with value "kept" is there twice`,
		},
		{
			reason: "a member without a meaning",
			file:   "attributes.yaml", old: "              brief: The frame was kept.\n", new: "",
			want: `attribute "outcome": member "kept" needs an id, a value and a brief`,
		},
		{
			reason: "labels are strings",
			file:   "attributes.yaml", old: "type: string", new: "type: int",
			want: `attribute "codec": type "int" is neither string nor members`,
		},
		{
			reason: "a misspelt key would be without effect",
			file:   "frames.yaml", old: "requirement_level:", new: "requirement:",
			want: "frames.yaml: yaml: unmarshal errors:\n  line 17: field requirement not found",
		},
		{
			reason: "a misspelt annotation too",
			file:   "memory.yaml", old: "async: true", new: "asynchronous: true",
			want: "field asynchronous not found",
		},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			_, err := generate(spoiled(t, tt.file, tt.old, tt.new))
			if err == nil {
				t.Fatalf("no error, want %s", tt.want)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error:\n%v\nwant:\n%s", err, tt.want)
			}
		})
	}
}

// The name of a registry file becomes that of a Go file.
func TestFileThatIsGeneratedTwice(t *testing.T) {
	fsys := spoiled(t, "memory.yaml", "", "")
	fsys["set.yaml"] = fsys["memory.yaml"]
	delete(fsys, "memory.yaml")
	_, err := generate(fsys)
	const want = "internal/instruments/set_gen.go would be generated twice"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error:\n%v\nwant:\n%s", err, want)
	}
}

// One Go type for two attributes could send a value with the wrong key.
func TestGoTypeOfTwoAttributes(t *testing.T) {
	const second = `
      - id: verdict
        type:
          members:
            - id: good
              value: good
              stability: stable
              brief: The frame is good.
        stability: stable
        brief: The verdict.
`
	fsys := spoiled(t, "memory.yaml", "- ref: codec\n        requirement_level: required",
		"- ref: verdict\n        requirement_level: required\n        annotations: {stagemeter: {go_type: FrameOutcome}}")
	fsys["attributes.yaml"].Data = append(fsys["attributes.yaml"].Data, second[1:]...)
	_, err := generate(fsys)
	const want = `go_type FrameOutcome is of attribute "outcome" and can't be of "verdict" too`
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error:\n%v\nwant:\n%s", err, want)
	}
}

// Whoever makes three mistakes is told of three.
func TestAllErrorsAtOnce(t *testing.T) {
	fsys := spoiled(t, "frames.yaml", "unit: s\n", "unit: ms\n")
	fsys["memory.yaml"].Data = []byte(strings.NewReplacer("value: int\n        async", "value: long\n        async", "ref: codec", "ref: kodec").
		Replace(string(fsys["memory.yaml"].Data)))
	_, err := generate(fsys)
	if err == nil {
		t.Fatal("no error")
	}
	if got := strings.Split(err.Error(), "\n"); len(got) != 3 {
		t.Errorf("%d errors, want 3:\n%v", len(got), err)
	}
}

// spoiled returns the registry of testdata with one text of a file replaced.
func spoiled(t *testing.T, file, old, new string) fstest.MapFS {
	t.Helper()
	fsys := fstest.MapFS{}
	names, err := fs.Glob(os.DirFS("testdata/registry"), "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile("testdata/registry/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if name == file {
			if !strings.Contains(string(data), old) {
				t.Fatalf("%s does not hold %q", name, old)
			}
			data = []byte(strings.Replace(string(data), old, new, 1))
		}
		fsys[name] = &fstest.MapFile{Data: data}
	}
	return fsys
}
