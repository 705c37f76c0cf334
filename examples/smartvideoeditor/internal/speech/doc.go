// Package speech is a transcription service on this machine that speaks the wire format of OpenAI's
//
//	POST /v1/audio/transcriptions
//
// so that a program that was written for that API runs against it unchanged. It does recognise speech: with ffmpeg's
// asr filter, which is CMU's pocketsphinx, and its English model. It asks for no key and costs nothing.
package speech
