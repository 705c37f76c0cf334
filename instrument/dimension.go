package instrument

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/semconv"
)

// A dimension holds the prebuilt attributes of all jobs of one type and with the same labels.
type dimension struct {
	jobType string               // "" if the jobs have none
	attrs   []attribute.KeyValue // job_type, if there is one, and the labels

	queued, processing, completed, failed, canceled statusHandle

	attempts [len(outcomes)]addOptions // outcome, job_type

	costs sync.Map // *apiHandle → addOptions
}

// statusHandle holds the prebuilt attributes of one job status.
type statusHandle struct {
	add      addOptions    // status, job_type, labels: of jobs
	duration recordOptions // the same
	ratio    recordOptions // status, job_type
}

func newDimension(jobType string, labels ...attribute.KeyValue) *dimension {
	d := &dimension{jobType: jobType, attrs: labels}
	var own []attribute.KeyValue
	if jobType != "" {
		own = []attribute.KeyValue{semconv.AttrJobType.String(jobType)}
		d.attrs = append(own[:1:1], labels...)
	}
	status := func(s semconv.JobStatus) statusHandle {
		all := withAttrs(append(d.attrs[:len(d.attrs):len(d.attrs)], s.Attr())...)
		return statusHandle{addOptions{all}, recordOptions{all}, recordOptions{withAttrs(append(own[:len(own):len(own)], s.Attr())...)}}
	}
	d.queued, d.processing = status(semconv.JobStatusQueued), status(semconv.JobStatusProcessing)
	d.completed, d.failed, d.canceled = status(semconv.JobStatusCompleted), status(semconv.JobStatusFailed), status(semconv.JobStatusCanceled)
	for i, o := range outcomes {
		d.attempts[i] = addOptions{withAttrs(append(own[:len(own):len(own)], o.Attr())...)}
	}
	return d
}

// plain is the dimension of jobs without a type and labels, and of what happens outside of any job.
var plain = newDimension("")

func (d *dimension) statuses() []*statusHandle {
	return []*statusHandle{&d.queued, &d.processing, &d.completed, &d.failed, &d.canceled}
}

// status returns the handle of a status in which a job ends.
func (d *dimension) status(s semconv.JobStatus) *statusHandle {
	switch s {
	case semconv.JobStatusCompleted:
		return &d.completed
	case semconv.JobStatusCanceled:
		return &d.canceled
	default:
		return &d.failed
	}
}

// attempt returns the attributes of an attempt that ended.
func (d *dimension) attempt(o semconv.Outcome) addOptions {
	return d.attempts[slices.Index(outcomes[:], o)]
}

// cost returns the attributes of what a job spends on an API.
func (d *dimension) cost(api *apiHandle) addOptions {
	if len(d.attrs) == 0 {
		return api.cost
	}
	if o, ok := d.costs.Load(api); ok {
		return o.(addOptions)
	}
	o, _ := d.costs.LoadOrStore(api, addOptions{withAttrs(append(d.attrs[:len(d.attrs):len(d.attrs)], semconv.AttrAPI.String(api.name))...)})
	return o.(addOptions)
}

// dimensions hands out one dimension for each combination of a job type and labels. The number of
// job types, of values of each label, and of combinations is bounded.
type dimensions struct {
	limit int // of job types, and of values of one label; there are at most ten times as many combinations
	types *names[string]
	keys  []string         // of the labels, in their order
	value []*names[string] // of each key
	bad   func()           // called for each value that had to be changed

	mu   sync.RWMutex
	full bool
	seen map[string]*dimension
}

func newDimensions(limit int, keys []string, bad func()) *dimensions {
	self := func(name string) *string { return &name }
	d := &dimensions{limit: limit, keys: keys, bad: bad, seen: make(map[string]*dimension)}
	d.types = newNames("job types", limit, nil, self, bad)
	for _, key := range keys {
		d.value = append(d.value, newNames("values of the label "+key, limit, nil, self, bad))
	}
	return d
}

// get returns the dimension of a job, and reports whether it is new. The values are those of the
// keys, in their order; "" is none.
func (d *dimensions) get(jobType string, values []string) (dim *dimension, isNew bool) {
	if jobType != "" {
		jobType = *d.types.get(jobType)
	}
	for i, v := range values {
		if v != "" {
			shown, ok := showValue(v)
			if !ok {
				d.bad()
			}
			values[i] = *d.value[i].get(shown)
		}
	}
	key := jobType
	if len(values) > 0 {
		key += "\x00" + strings.Join(values, "\x00") // no name has a control character
	}
	d.mu.RLock()
	dim = d.seen[key]
	d.mu.RUnlock()
	if dim != nil {
		return dim, false
	}
	dim, isNew, filled := d.add(key, jobType, values)
	if filled { // reported without the lock: the handler is the user's code, and may start a job itself
		handle(fmt.Errorf("instrument: more than %d combinations of job type and labels: new ones are recorded as %q", 10*d.limit, other))
	}
	return dim, isNew
}

func (d *dimensions) add(key, jobType string, values []string) (dim *dimension, isNew, filled bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if dim := d.seen[key]; dim != nil {
		return dim, false, false
	}
	if len(d.seen) >= 10*d.limit {
		if jobType != "" {
			jobType = other
		}
		for i := range values {
			if values[i] != "" {
				values[i] = other
			}
		}
		key = jobType + "\x00" + strings.Join(values, "\x00")
		filled, d.full = !d.full, true
		if dim := d.seen[key]; dim != nil {
			return dim, false, filled
		}
	}
	var labels []attribute.KeyValue
	for i, v := range values {
		if v != "" {
			labels = append(labels, attribute.String(d.keys[i], v))
		}
	}
	dim = newDimension(jobType, labels...)
	d.seen[key] = dim
	return dim, true, filled
}
