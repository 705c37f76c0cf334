package instrument

// For the fuzz target, which tries too many texts to make a pipeline for each.
var (
	Clean     = clean
	CleanName = cleanName
	ShowID    = showID
	ShowValue = showValue
	Visible   = visible
)

// The longest a name and an id get, in bytes.
const (
	MaxNameLen = maxNameLen
	MaxIDLen   = maxIDLen
)

// ForgetClientTraceKey makes the scopes of calls not know the key of package httptrace, for the
// rest of the process.
func ForgetClientTraceKey() { clientTraceKey = nil }

// ClientTraceKey is the key of package httptrace.
func ClientTraceKey() any { return clientTraceKey }
