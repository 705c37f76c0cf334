package editor

import "strconv"

// A file is a path that a stage's result keeps. In JSON it is quoted, since JSON has no strings
// that are not UTF-8, and paths need not be.
type file string

// MarshalText implements encoding.TextMarshaler.
func (f file) MarshalText() ([]byte, error) { return strconv.AppendQuoteToASCII(nil, string(f)), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *file) UnmarshalText(text []byte) error {
	path, err := strconv.Unquote(string(text))
	*f = file(path)
	return err
}
