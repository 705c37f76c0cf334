// Package editor edits videos: each job validates, analyzes, transcribes, normalizes and renders
// one, and makes a highlight reel with even sound.
//
// Package instrument measures it, as it would measure your program. Where to look:
//
//	queue.go          enqueues a job with a carrier, and runs it with that
//	stage.go          measures a stage, and stores its result
//	paying.go         a paid call, its price, its budget
//	transcription.go  keeps each transcript as soon as it is paid
//	analysis.go       quality: segments, highlights, loudness
//	editor.go         one pipeline, given to the editor by main
package editor
