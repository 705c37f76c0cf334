// Package media derives from the output of ffmpeg's filters the scenes of a video, their loudness,
// their scores as highlights, and the gains of their sound.
//
// It runs nothing and measures nothing: it reads text and returns numbers. The commands that print
// the text are in package editor, next to the stages.
package media
