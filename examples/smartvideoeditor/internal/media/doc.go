// Package media turns what ffmpeg's filters print into decisions about a video: where its scenes are, how loud each
// one is, how good a highlight it makes and by how much its sound must be raised or lowered.
//
// It runs nothing and measures nothing: it reads text and returns numbers. The commands that print the text are in
// package editor, next to the stages.
package media
