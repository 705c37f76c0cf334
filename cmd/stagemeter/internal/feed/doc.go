// Package feed reads the JSON of a live page, version 1, over HTTP. It cleans each text when it
// reads it, so that no caller can show characters that steer a terminal.
package feed
