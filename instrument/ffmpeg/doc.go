// Package ffmpeg runs ffmpeg and ffprobe so that a pipeline can be measured and can trust what they report.
//
//   - [Run] runs ffmpeg: with progress, a stall watchdog, an output that exists only when it is whole.
//   - [Probe] describes a media file.
//   - [Check] reads a media file to its end, which finds the truncated ones that Probe lets pass.
//
// Each of them counts its process in video_processing_ffmpeg_processes while it runs, puts the CPU time and memory
// that it took on the span of ctx, and returns an [*Error] whose type is the error_type of the failure. They start no
// span and record no error by themselves: the stage around them does.
//
//	info, err := ffmpeg.Probe(ctx, in)
//	…
//	args := append(ffmpeg.Input(in), "-vf", "scale=-2:720", "-c:v", "libx264")
//	res, err := ffmpeg.Run(ctx, args,
//		ffmpeg.WithOutput(out),
//		ffmpeg.WithDuration(info.Duration()),
//		ffmpeg.WithProgress(func(p ffmpeg.Progress) { bar.Set(p.Fraction) }),
//		ffmpeg.WithStallTimeout(time.Minute))
//
// # How a run ends
//
// On Unix the process leads a process group of its own. When ctx ends, when the output stalls, or when the writer of
// [WithStdout] fails, the group gets SIGTERM, and after the grace period of [WithGrace] SIGKILL. However the leader
// ended, nothing of its group survives it; and on Linux the leader does not survive this program either, even if that
// is killed. Elsewhere than on Unix the process alone is killed, at once.
//
// Run, Probe and Check return when the process is gone and every goroutine of theirs has ended. They may be called
// concurrently. A nil ctx is context.Background().
//
// # Names of files
//
// ffmpeg reads a name that begins with a dash as an option, one with a colon as a protocol, and a playlist as an order
// to open what it lists. Probe, Check, [WithOutput], [File] and [Input] take any name literally, and Probe, Check and
// Input open nothing else; in other arguments of Run that is up to the caller. Names inside a filter's arguments have
// rules of their own, which nothing here applies.
//
// ffmpeg 4.4 or later is needed. It was made with 5.1.
package ffmpeg
