// Package editor edits videos: each job takes one through validation, analysis, transcription, normalization and
// rendering, and leaves a highlight reel with even sound.
//
// It is measured by package instrument as a pipeline of your own would be. Where to look:
//
//	queue.go          a job is enqueued with a carrier, and run with it
//	stage.go          a stage is measured, and its result kept
//	transcription.go  a paid call, its price, its budget
//	analysis.go       quality: segments, highlights, loudness
//	editor.go         one pipeline, given to the editor by main
package editor
