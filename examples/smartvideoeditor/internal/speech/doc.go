// Package speech is a transcription service on this machine that speaks the wire format of OpenAI's
//
//	POST /v1/audio/transcriptions
//
// so a program for that API runs with it unchanged. It recognizes speech with the asr filter of
// ffmpeg, which is CMU's pocketsphinx, and its English model. It needs no key and costs nothing.
package speech
