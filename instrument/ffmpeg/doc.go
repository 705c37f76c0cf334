// Package ffmpeg runs ffmpeg and ffprobe as parts of a measured pipeline, and classifies their
// errors.
//
//   - [Run] runs ffmpeg, with progress, a stall watchdog, and an output file that exists only when
//     it is complete.
//   - [Probe] describes a media file.
//   - [Check] reads a media file to its end. It finds truncated files that Probe accepts, tells how
//     long each stream really is, and counts damaged packets.
//
// Each of them counts its process in video_processing_ffmpeg_processes while it runs, puts its CPU
// time and memory on the span of ctx, and returns an [*Error] whose type is the error_type of the
// failure. They start no span and record no error: the stage around them does.
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
// On Unix the process leads a process group of its own. When ctx ends, the output stalls, or the
// writer of [WithStdout] fails, the group gets SIGTERM and, after the time of [WithGrace], SIGKILL.
// When the leader has ended, for whatever reason, the rest of its group is killed. On Linux
// descendants that have left the group, as a shell's timeout does, get the same signals. On systems
// other than Unix only the process is killed, at once.
//
// If this program ends first, even by kill -9, the group is killed, and on Linux the descendants
// that have left it. A shell that waits beside each process does that. Without a /bin/sh only the
// leader is killed, and only on Linux; on systems other than Unix ffmpeg goes on. Processes of
// other users, containers that a daemon runs and processes that have detached themselves from
// their parents are out of reach. So are those that have left the group of a leader that is a
// binary and not a script: on Linux the kernel kills that leader with this program, and nothing
// tells any more whose children they were.
//
// A process that the kernel cannot kill, because it waits for a device that does not answer, is
// waited for.
//
// In a stage, Run and Check report their progress to [instrument.ReportProgress], in seconds of
// media time; [WithDuration] gives the total. If a stage has several runs, [WithShare]
// gives each its share of the work.
//
// Run, Probe and Check return when the process has ended and so has every goroutine that they
// started. They may be called concurrently. A nil ctx is context.Background().
//
// # Names of files
//
// ffmpeg takes a name that begins with a dash for an option and one with a colon for a protocol,
// and opens every file that a playlist lists. Probe, Check, [WithOutput], [File] and [Input] take
// any name literally, and Probe, Check and Input open no other file. In other arguments of Run the
// caller is responsible for that. Names in the arguments of a filter have rules of their own; this
// package does not apply them.
//
// The package needs ffmpeg 4.4 or later. It was developed with 5.1.
package ffmpeg
