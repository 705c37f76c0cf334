package instrument

// For the fuzz target, which tries too many texts to make a pipeline for each.
var (
	Clean     = clean
	CleanName = cleanName
	ShowID    = showID
)

// The longest a name and an id get, in bytes.
const (
	MaxNameLen = maxNameLen
	MaxIDLen   = maxIDLen
)

// WithoutClientTraceKey makes the scopes of calls not know the key of package httptrace, until the test ends.
func WithoutClientTraceKey() (restore func()) {
	key := clientTraceKey
	clientTraceKey = nil
	return func() { clientTraceKey = key }
}

// ClientTraceKey is the key of package httptrace.
func ClientTraceKey() any { return clientTraceKey }
