package ffmpeg

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
)

// The values of [Error.Type].
const (
	TypeInvalidData     = "invalid_data"     // not media, or a directory
	TypeDamaged         = "damaged"          // media of which a part is missing, or cannot be read or decoded
	TypeTruncated       = "truncated"        // media that ends before its end
	TypeNotFound        = "not_found"        // no such file, or HTTP 404
	TypePermission      = "permission"       // may not be read or written, or HTTP 401, 403
	TypeExists          = "exists"           // an output exists and -n forbids to replace it
	TypeNoSpace         = "no_space"         // disk full, quota, file size limit
	TypeIO              = "io_error"         // the device failed
	TypeOutOfMemory     = "out_of_memory"    // ffmpeg could not allocate
	TypeMissingStream   = "missing_stream"   // an argument names a stream that no input has
	TypeUnknownEncoder  = "unknown_encoder"  // this ffmpeg has no such encoder
	TypeUnknownDecoder  = "unknown_decoder"  // this ffmpeg has no such decoder
	TypeUnknownFilter   = "unknown_filter"   // this ffmpeg has no such filter
	TypeUnknownFormat   = "unknown_format"   // this ffmpeg has no such container format
	TypeBadArgs         = "bad_args"         // arguments or options that ffmpeg does not accept
	TypeNetwork         = "network"          // an address did not answer, or broke off
	TypeBrokenPipe      = "broken_pipe"      // the reader of an output went away
	TypeProtocolBlocked = "protocol_blocked" // an input leads to a protocol or file that is not allowed, or not known
	TypeFormatBlocked   = "format_blocked"   // an input is of a format that is not allowed; see Input
	TypeEmptyOutput     = "empty_output"     // nothing was written, or no media
	TypeStalled         = "stalled"          // ended by WithStallTimeout
	TypeCanceled        = "canceled"         // ended because ctx was canceled
	TypeTimeout         = "timeout"          // ended because of ctx's deadline
	TypeKilled          = "killed"           // ended by a signal from elsewhere, such as the kernel's when memory is short
	TypeCrashed         = "crashed"          // ended by a signal for a fault of its own
	TypeNoBinary        = "ffmpeg_missing"   // the binary to run was not found
	TypeNotStarted      = "ffmpeg_start"     // the binary could not be started
	TypeExit            = "ffmpeg_exit"      // none of the above
)

// An Error is the failure of a [Run], [Probe] or [Check]. It wraps its cause: the error of ctx and
// the cause of that, an *exec.ExitError, or an error of the file system.
//
// Its text has the line of ffmpeg's log that tells the cause or, if none is known to, the last
// fatal line, error, line of something else, or warning. The text is at most about 1 KiB long,
// printable, and without secrets, as Stderr is.
type Error struct {
	Op       string    // run, probe or check
	Type     string    // one of the Type constants
	ExitCode int       // of the process, -1 if it did not exit by itself
	Signal   os.Signal // that ended the process, nil if none did
	// Stderr is the end of ffmpeg's log, at most 8 KiB. Lines that ffmpeg marks as of level info or
	// below are left out if there are others; [WithStderr] has them all. Control characters, memory
	// addresses and what may be secret are removed, so that it may be printed and logged: of URLs the user's name,
	// the password, the query, the fragment and RTMP's stream key; credentials in headers; values
	// that are called a password, token, key and the like; and the values of options such as
	// -headers and -decryption_key wherever they occur. Other parts of an address's path and names
	// of files are not removed.
	Stderr string

	line string // of the log, from which the type follows, or else its last words
	err  error
}

// ErrorType returns Type, the error_type under which package instrument counts the error.
func (e *Error) ErrorType() string {
	if e == nil {
		return ""
	}
	return e.Type
}

func (e *Error) Error() string {
	if e == nil {
		return "<nil>"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "ffmpeg %s: %s", e.Op, e.Type)
	if e.line != "" {
		fmt.Fprintf(&b, ": %s", e.line)
	}
	if e.err != nil {
		b.WriteString(": " + shorten(clean(strings.ReplaceAll(e.err.Error(), "\n", "; ")), maxCause))
	}
	return b.String()
}

func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.err
}

// maxCause bounds the text of a cause, in bytes.
const maxCause = 512

// A stallError ends a run whose output does not grow, and a Probe that does not answer.
type stallError struct {
	after time.Duration
	probe bool
}

func (e stallError) Error() string {
	if e.probe {
		return fmt.Sprintf("no answer for %v", e.after)
	}
	return fmt.Sprintf("no growth of the output for %v", e.after)
}

// fileErrorType returns the type of an error of the file system, or other if err is none.
func fileErrorType(err error, other string) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return TypeNotFound
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return TypePermission
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return TypeNoSpace
	default:
		return other
	}
}
