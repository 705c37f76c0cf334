package exposition

import (
	"bytes"
	"strconv"
)

// exact is the first integer whose successor is no float64.
const exact = 1 << 53

// appendFloat prints a value. OpenMetrics requires a point in it.
func appendFloat(dst []byte, v float64, format Format) []byte {
	switch i := int64(v); {
	case float64(i) == v && i > -exact && i < exact: // much faster, and shorter
		dst = strconv.AppendInt(dst, i, 10)
		if format == OpenMetrics {
			dst = append(dst, ".0"...)
		}
		return dst
	default:
		return strconv.AppendFloat(dst, v, 'g', -1, 64) // has a point or an e, except for NaN and infinities
	}
}

// appendCount prints a count, in plain text as a float64 and in OpenMetrics as an integer.
func appendCount(dst []byte, n uint64, format Format) []byte {
	if format == Text && n >= exact {
		return appendFloat(dst, float64(n), format)
	}
	return strconv.AppendUint(dst, n, 10)
}

// appendBound prints the bound of a bucket. Prometheus compares bounds as text: it must be the text
// that other exporters write for the same number, such as 1e+06.
func appendBound(dst []byte, bound float64, format Format) []byte {
	from := len(dst)
	dst = strconv.AppendFloat(dst, bound+0, 'g', -1, 64) // plus 0: no minus sign before a zero
	if format == OpenMetrics && !bytes.ContainsAny(dst[from:], ".eIN") {
		dst = append(dst, ".0"...)
	}
	return dst
}
