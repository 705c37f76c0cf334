// Package feed reads the JSON of a live page, version 1, over HTTP. Each text of it is cleaned when it
// is read, so that no caller can show what would steer a terminal.
package feed
