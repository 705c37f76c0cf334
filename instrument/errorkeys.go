package instrument

import (
	"sync"

	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/semconv"
)

// errorKeys bounds the series of video_processing_errors_total.
type errorKeys struct {
	mu    sync.RWMutex
	limit int
	full  bool
	types int // error types that were not declared
	keys  int // keys that were not declared
	known map[string]struct{}
	opts  map[errorKey]addOptions
}

// errorKey is the attributes of an error. The job type is empty for a job that has none.
type errorKey struct{ stage, errorType, jobType string }

// options returns the attributes of an error. Past the limits its type, and with too many
// combinations its job type too, become "other"; filled reports whether this error was the first.
func (k *errorKeys) options(key errorKey) (o addOptions, filled bool) {
	key.errorType, _ = cleanName(key.errorType)
	k.mu.RLock()
	o = k.opts[key]
	k.mu.RUnlock()
	if o != nil {
		return o, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	asked := key
	_, known := k.known[key.errorType]
	switch {
	case k.keys >= 10*k.limit: // every stage with every error type and every job type would be the cube
		key.errorType = other
		if key.jobType != "" {
			key.jobType = other
		}
	case !known && k.types >= k.limit:
		key.errorType = other
	case !known:
		k.types++
		k.known[key.errorType] = struct{}{}
	}
	if o = k.opts[key]; o == nil {
		if key.errorType != other || key.jobType != "" && key.jobType != other {
			k.keys++
		}
		o = k.add(key)
	}
	filled = key != asked && !k.full
	k.full = k.full || filled
	return o, filled
}

// declare makes a key that the limits do not concern. Call it before the pipeline is used.
func (k *errorKeys) declare(stage, errorType string) addOptions {
	k.known[errorType] = struct{}{}
	return k.add(errorKey{stage: stage, errorType: errorType})
}

func (k *errorKeys) add(key errorKey) addOptions {
	attrs := []attribute.KeyValue{semconv.AttrStage.String(key.stage), semconv.AttrErrorType.String(key.errorType)}
	if key.jobType != "" {
		attrs = append(attrs, semconv.AttrJobType.String(key.jobType))
	}
	o := addOptions{withAttrs(attrs...)}
	k.opts[key] = o
	return o
}
