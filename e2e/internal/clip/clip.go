// Package clip makes videos to edit.
package clip

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// Speech makes a video at path in which a voice speaks over scenes of different loudness, seconds long. It takes an
// ffmpeg with the filter flite.
func Speech(ctx context.Context, path string, seconds int) error {
	const words = "welcome to the smart video editor. in this scene the narrator speaks about loudness. " // over 4 s
	half := seconds / 2
	graph := fmt.Sprintf(
		"testsrc2=s=320x180:r=25:d=%[1]d[a];mandelbrot=s=320x180:r=25,trim=duration=%[2]d,setpts=PTS-STARTPTS[b];"+
			"[a][b]concat=n=2[v];"+
			"flite=text='%[3]s':voice=slt,aresample=48000,asetnsamples=1024,"+
			"volume='if(lt(t,%[1]d),0.1,0.9)':eval=frame[s]",
		half, seconds-half, strings.Repeat(words, 1+seconds/4))
	cmd := exec.CommandContext(ctx, "ffmpeg", "-nostdin", "-v", "error", "-y", "-filter_complex", graph, "-map", "[v]", "-map", "[s]",
		"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-t", fmt.Sprint(seconds), path)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ffmpeg: %w\n%s", err, out)
	}
	return nil
}
