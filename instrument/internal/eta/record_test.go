package eta_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/ffmpeg"
)

// With -record the test binary runs no test. It runs ffmpeg as an editor does, and writes what it
// reports to testdata, a curve for each stage:
//
//	go test ./instrument/internal/eta -record            # ffmpeg and the recognizer
//	go test ./instrument/internal/eta -record -only recognizer
var (
	record = flag.Bool("record", false, "record the progress of ffmpeg into testdata")
	only   = flag.String("only", "", "record only this `stage`")
)

func TestMain(m *testing.M) {
	flag.Parse()
	if !*record {
		os.Exit(m.Run())
	}
	if err := recordAll(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A recording is what one stage has reported.
type recording struct {
	Stage   string      `json:"stage"`
	Took    float64     `json:"took"`    // seconds
	Reports [][]float64 `json:"reports"` // seconds since the start, done, total
}

func recordAll(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "record")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := recordRecognizer(ctx, dir); err != nil {
		return fmt.Errorf("recognizer: %w", err)
	}
	if *only == "recognizer" {
		return nil
	}
	// A talk whose second half has far more detail than the first, so that it costs more to encode.
	video := filepath.Join(dir, "talk.mkv")
	make := []string{"-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25:d=45", "-f", "lavfi", "-i", "mandelbrot=s=1280x720:r=25:end_pts=1e9", "-f", "lavfi", "-i", "sine=f=300:d=90",
		"-filter_complex", "[1:v]trim=duration=45,setpts=PTS-STARTPTS,format=yuv420p[b];[0:v]format=yuv420p[a];[a][b]concat=n=2:v=1:a=0[v]",
		"-map", "[v]", "-map", "2:a", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-t", "90"}
	if _, err := ffmpeg.Run(ctx, make, ffmpeg.WithOutput(video)); err != nil {
		return err
	}
	for _, s := range []struct {
		stage string
		times int // as long as the video
		args  []string
		out   string
	}{
		{"validation", 10, []string{"-f", "null", "-"}, ""},
		{"loudness", 10, []string{"-vn", "-af", "loudnorm=print_format=json", "-f", "null", "-"}, ""},
		{"render", 1, []string{"-vf", "scale=960:540", "-c:v", "libx264", "-preset", "medium", "-c:a", "aac"}, filepath.Join(dir, "render.mp4")},
	} {
		args := append([]string{"-stream_loop", strconv.Itoa(s.times - 1)}, ffmpeg.Input(video)...)
		if err := recordStage(ctx, s.stage, time.Duration(s.times)*90*time.Second, append(args, s.args...), s.out); err != nil {
			return fmt.Errorf("%s: %w", s.stage, err)
		}
	}
	return nil
}

// model is the folder of pocketsphinx's model, which the package pocketsphinx-en-us installs.
const model = "/usr/share/pocketsphinx/model/en-us/"

// recordRecognizer records how ffmpeg's filter asr transcribes a talk, as the video editor of the
// examples does: silence, of which there is much, takes it less time than speech.
func recordRecognizer(ctx context.Context, dir string) error {
	const length = 24 * time.Second
	talk := filepath.Join(dir, "talk.flac")
	speak := []string{"-f", "lavfi", "-i", "flite=voice=slt:text='Welcome to the smart video editor. It finds the best scenes of your video, " +
		"and cuts them together. Today the weather is fine, and the trains are late. Thank you very much for watching, and good bye.'",
		"-af", "aresample=16000,apad=whole_dur=24", "-t", "24"}
	if _, err := ffmpeg.Run(ctx, speak, ffmpeg.WithOutput(talk)); err != nil {
		return err
	}
	filter := "asr=rate=16000:hmm=" + model + "en-us:dict=" + model + "cmudict-en-us.dict:lm=" + model + "en-us.lm.bin"
	return recordStage(ctx, "recognizer", length, append(ffmpeg.Input(talk), "-af", filter, "-f", "null", "-"), "")
}

func recordStage(ctx context.Context, stage string, length time.Duration, args []string, out string) error {
	if *only != "" && *only != stage {
		return nil
	}
	r := recording{Stage: stage}
	start := time.Now()
	p, err := instrument.New(instrument.WithEvents(instrument.Events{Progress: func(_ context.Context, e instrument.ProgressEvent) {
		at := e.Progress.At.Sub(start).Seconds()
		r.Reports = append(r.Reports, []float64{round(at), round(e.Progress.Done), round(e.Progress.Total)})
	}}))
	if err != nil {
		return err
	}
	opts := []ffmpeg.Option{ffmpeg.WithDuration(length)}
	if out != "" {
		opts = append(opts, ffmpeg.WithOutput(out))
	}
	err = p.RunJob(ctx, "record", func(ctx context.Context) error {
		return instrument.RunStage(ctx, stage, func(ctx context.Context) error {
			start = time.Now()
			_, err := ffmpeg.Run(ctx, args, opts...)
			r.Took = round(time.Since(start).Seconds())
			return err
		})
	})
	if err != nil {
		return err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("testdata", "ffmpeg_"+stage+".json"), append(text, '\n'), 0o644)
}

// round leaves milliseconds.
func round(x float64) float64 { return float64(int64(x*1000+0.5)) / 1000 }
