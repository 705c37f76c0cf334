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
