// Package sample makes a video to edit: 24 seconds with six scenes. A voice speaks in five of them,
// sometimes loud and sometimes low; one has music.
package sample

import (
	"context"
	"fmt"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/ffmpeg"
)

// scene is four seconds of the clip.
type scene struct{ picture, sound string }

var scenes = []scene{
	{`testsrc2=s=640x360:r=25:d=4`, say("Welcome to the smart video editor demonstration.", 0)},
	{`mandelbrot=s=320x180:r=25:maxiter=600:end_pts=100,trim=duration=4,scale=640:360`,
		say("In this scene the narrator speaks about the weather.", -8)},
	{`gradients=s=640x360:r=25:d=4:n=3:c0=0x102050:c1=0xff9030:c2=0x30a0a0:speed=0.02`,
		say("Now the camera shows a big city at night.", 4)},
	{`smptehdbars=s=640x360:r=25:d=4`, say("This part is very quiet but it is important.", -18)},
	{`life=s=160x90:r=25:mold=10:ratio=0.3:seed=7:death_color=0x203040:life_color=0x80ff80,trim=duration=4,scale=640:360:flags=neighbor`,
		`aevalsrc='0.2*sin(440*PI*t)+0.12*sin(554*PI*t)+0.12*sin(660*PI*t)':s=48000:d=4`},
	{`color=c=0x402060:s=640x360:r=25:d=4,drawbox=x=160:y=90:w=320:h=180:color=0xffd040:t=fill`,
		say("Thank you for watching and good bye.", -4)},
}

// say is a voice that says a sentence, so many decibels louder than it would, and is silent to the
// scene's end.
func say(sentence string, gain int) string {
	return fmt.Sprintf("flite=text='%s':voice=slt,aresample=48000,volume=%ddB,apad=whole_dur=4,atrim=duration=4", sentence, gain)
}

// Make makes the clip at path, whole or not at all. It takes an ffmpeg with the filter flite, which
// speaks.
func Make(ctx context.Context, path string) error {
	var graph, pictures, sounds strings.Builder
	for i, s := range scenes {
		fmt.Fprintf(&graph, "%s,format=yuv420p[v%d];%s[a%d];", s.picture, i, s.sound, i)
		fmt.Fprintf(&pictures, "[v%d]", i)
		fmt.Fprintf(&sounds, "[a%d]", i)
	}
	fmt.Fprintf(&graph, "%sconcat=n=%d:v=1:a=0[v];", &pictures, len(scenes))
	fmt.Fprintf(&graph, "%sconcat=n=%d:v=0:a=1,aformat=channel_layouts=stereo,asetnsamples=n=1024:p=0[a]", &sounds, len(scenes))
	_, err := ffmpeg.Run(ctx, []string{
		"-filter_complex", graph.String(), "-map", "[v]", "-map", "[a]", "-t", "24",
		"-c:v", "libx264", "-preset", "ultrafast", "-crf", "26", "-g", "50",
		"-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart",
	}, ffmpeg.WithOutput(path))
	if err != nil {
		return fmt.Errorf("making the talking clip: %w", err)
	}
	return nil
}
