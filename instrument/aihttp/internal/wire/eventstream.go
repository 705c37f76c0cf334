package wire

import "encoding/binary"

// Sizes of a message of application/vnd.amazon.eventstream: its total length, the length of its
// headers and a checksum of both come first, and a checksum of all comes last. Checksums are not
// checked: TLS has checked the bytes.
const (
	preludeBytes  = 12
	checksumBytes = 4
)

// Frames cuts a stream of application/vnd.amazon.eventstream into its messages.
type Frames struct {
	// Handle is called with the type of each message, such as "metadata", and its payload. Both hold
	// until it returns.
	Handle func(kind, payload []byte)

	held    []byte // the begin of a message whose end has not come
	pass    uint64 // bytes of a message that are not looked at
	broken  bool   // from here on nothing is a message
	skipped bool
	count   int
}

// Count returns how many messages have been handled so far.
func (f *Frames) Count() int { return f.count }

// Skipped reports whether a message was longer than 1 MiB, or was none, and not handled.
func (f *Frames) Skipped() bool { return f.skipped }

// Close ends the stream. A message without its end is not handled.
func (f *Frames) Close() { f.held = nil }

// Write takes the next piece of the stream. It returns len(p) and nil.
func (f *Frames) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 && !f.broken {
		if f.pass > 0 {
			k := min(f.pass, uint64(len(p)))
			f.pass -= k
			p = p[k:]
			continue
		}
		if len(f.held) < preludeBytes {
			k := min(preludeBytes-len(f.held), len(p))
			f.held = append(f.held, p[:k]...)
			p = p[k:]
			if len(f.held) < preludeBytes {
				break
			}
		}
		total, headers := uint64(binary.BigEndian.Uint32(f.held)), uint64(binary.BigEndian.Uint32(f.held[4:]))
		switch {
		case headers+preludeBytes+checksumBytes > total:
			f.broken, f.skipped = true, true
			continue
		case total > maxEvent:
			f.pass, f.skipped = total-uint64(len(f.held)), true
			f.held = f.held[:0]
			continue
		}
		k := min(int(total)-len(f.held), len(p))
		f.held = append(f.held, p[:k]...)
		p = p[k:]
		if len(f.held) == int(total) {
			body := f.held[preludeBytes : total-checksumBytes]
			f.count++
			f.Handle(frameKind(body[:headers]), body[headers:])
			f.held = f.held[:0]
		}
	}
	return n, nil
}

// frameKind returns the value of the header :event-type, or nil. What is no header ends the search.
func frameKind(headers []byte) []byte {
	for len(headers) > 1 {
		size := int(headers[0])
		if len(headers) < size+2 {
			return nil
		}
		name, kind := headers[1:1+size], headers[1+size]
		headers = headers[2+size:]
		switch kind {
		case 0, 1: // a bool
			size = 0
		case 2:
			size = 1
		case 3:
			size = 2
		case 4:
			size = 4
		case 5, 8:
			size = 8
		case 6, 7: // bytes, or a string
			if len(headers) < 2 {
				return nil
			}
			size = int(binary.BigEndian.Uint16(headers))
			headers = headers[2:]
		case 9:
			size = 16
		default:
			return nil
		}
		if len(headers) < size {
			return nil
		}
		if kind == 7 && string(name) == ":event-type" {
			return headers[:size]
		}
		headers = headers[size:]
	}
	return nil
}
