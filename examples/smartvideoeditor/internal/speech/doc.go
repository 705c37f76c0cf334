// Package speech is a service on this machine that speaks the wire format of OpenAI's
//
//	POST /v1/audio/transcriptions
//	POST /v1/chat/completions
//
// so a program for that API runs with it unchanged. It recognizes speech with the asr filter of
// ffmpeg, which is CMU's pocketsphinx, and its English model. Its chat model, whatever its name,
// takes titles and a summary out of the text that it is given. It needs no key and costs nothing.
package speech
