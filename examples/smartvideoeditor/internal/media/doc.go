// Package media derives from the log of ffmpeg where the streams of a video start and end and what
// of them can be decoded, and from the output of its filters the scenes, their loudness, their
// scores as highlights, and the gains of their sound.
//
// It runs nothing and measures nothing: it reads text and returns numbers. The commands that print
// the text are in package editor, next to the stages.
package media
