// Package wire reads the formats of answers and requests as they pass, in pieces of any size, with
// memory that is bounded whatever they hold: JSON, server-sent events, multipart forms.
package wire
