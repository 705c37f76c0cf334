// Package editor edits videos: each job validates, analyzes, transcribes, titles, normalizes and
// renders one, and makes a highlight reel with even sound.
//
// Package instrument measures it, as it would measure your program. Where to look:
//
//	queue.go          enqueues a job with a carrier, and runs it with that
//	stage.go          measures a stage, and stores its result
//	validation.go     progress: the share of each run of ffmpeg in a stage's work
//	paying.go         a paid call with a maximum of its own, and a lease
//	titling.go        a paid call that is nothing but a call: the transport does the rest
//	transcription.go  keeps each transcript as soon as it is paid
//	analysis.go       quality: segments, highlights, loudness
//	editor.go         one pipeline, given to the editor by main
package editor
