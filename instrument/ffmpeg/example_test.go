//go:build unix

package ffmpeg_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/stagemeter/stagemeter/instrument/ffmpeg"
)

// A small copy of a film that somebody has uploaded. Whatever the file is called and holds, nothing else is opened; and
// small.mp4 is whole or not there.
func ExampleRun() {
	ctx, in := context.Background(), clip()
	out := filepath.Join(os.TempDir(), "small.mp4")
	defer func() { _ = os.Remove(out) }()

	info, err := ffmpeg.Probe(ctx, in)
	if err != nil {
		fmt.Println(err)
		return
	}
	args := append(ffmpeg.Input(in), "-vf", "scale=80:-2", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "copy")
	res, err := ffmpeg.Run(ctx, args,
		ffmpeg.WithOutput(out),
		ffmpeg.WithDuration(info.Duration()),
		ffmpeg.WithStallTimeout(time.Minute),
		ffmpeg.WithProgress(func(p ffmpeg.Progress) {
			if p.Done { // or draw a bar from p.Fraction, p.Speed and p.ETA
				fmt.Printf("%.0f %% of %v\n", 100*p.Fraction, p.Total)
			}
		}))
	fmt.Println(res.Frames, "frames, error:", err)
	// Output:
	// 100 % of 4s
	// 100 frames, error: <nil>
}

func ExampleProbe() {
	info, err := ffmpeg.Probe(context.Background(), clip())
	if err != nil {
		fmt.Println(err)
		return
	}
	video, _ := info.Video()
	width, height := video.DisplaySize()
	fmt.Printf("%v of %s, %dx%d, %g frames per second\n", info.Duration(), video.Codec, width, height, video.Rate())
	if audio, ok := info.Audio(); ok {
		fmt.Printf("%s, %d Hz\n", audio.Codec, audio.SampleRate)
	}
	// Output:
	// 4s of h264, 160x120, 25 frames per second
	// aac, 44100 Hz
}

// A download that broke off still has its beginning, so Probe is content with it.
func ExampleCheck() {
	whole, err := os.ReadFile(clip())
	if err != nil {
		fmt.Println(err)
		return
	}
	half := filepath.Join(os.TempDir(), "half.mp4")
	defer func() { _ = os.Remove(half) }()
	if err := os.WriteFile(half, whole[:len(whole)/2], 0o600); err != nil {
		fmt.Println(err)
		return
	}

	_, err = ffmpeg.Probe(context.Background(), half)
	fmt.Println("probe:", err)
	_, err = ffmpeg.Check(context.Background(), half)
	var failed *ffmpeg.Error
	if errors.As(err, &failed) {
		fmt.Println("check:", failed.Type)
	}
	// Output:
	// probe: <nil>
	// check: truncated
}

func ExampleError() {
	_, err := ffmpeg.Run(context.Background(), append(ffmpeg.Input("no-such.mp4"), "-f", "null", "-"))
	var failed *ffmpeg.Error
	if errors.As(err, &failed) && failed.Type == ffmpeg.TypeNotFound {
		fmt.Println(err)
	}
	// Output: ffmpeg run: not_found: file:no-such.mp4: No such file or directory: exit status 1
}

// The name can't be taken for an option or an address, and what it names can't open anything else.
func ExampleInput() {
	args := append([]string{"-ss", "10"}, ffmpeg.Input("-y.mp4")...)
	fmt.Println(args[2:4], args[6:])
	// Output: [-protocol_whitelist file] [-i file:-y.mp4]
}

// Filters print what they measure to a file; "-" is what WithStdout gets.
func ExampleWithStdout() {
	args := append(ffmpeg.Input(clip()), "-an", "-vf", "scdet=threshold=8,metadata=print:key=lavfi.scd.time:file=-", "-f", "null", "-")
	_, err := ffmpeg.Run(context.Background(), args, ffmpeg.WithStdout(os.Stdout))
	fmt.Println(err)
	// Output: <nil>
}
