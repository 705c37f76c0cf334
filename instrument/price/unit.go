package price

// A Unit is something that a call uses and that a provider prices. A call uses each token, second
// or image in one Unit only: what was read from a cache is not in Input.
type Unit uint8

// Units. Tokens of a modality other than text have a unit of their own, such as InputAudio.
const (
	Input Unit = iota // tokens
	InputAudio
	InputImage
	InputVideo
	Output // tokens, with those of reasoning
	OutputAudio
	OutputImage
	OutputVideo
	CacheRead // tokens of the input that a cache had
	CacheReadAudio
	CacheReadImage
	CacheReadVideo
	CacheWrite5m // tokens of the input that are kept for 5 minutes, or for an unknown time
	CacheWrite1h // the same, for an hour
	Characters   // Unicode code points of text that is spoken
	Images       // made by the call; see [Usage.Variant]
	Pages
	Requests
	WebSearch  // searches that a model has made
	FileSearch // searches in the user's own files
	Containers // machines in which a model has run code
	Credits    // the provider's own unit, such as what fal calls billable units, in millionths
	Audio      // length of sound, in nanoseconds
	Video      // length of video, in nanoseconds
	Compute    // time of a machine, in nanoseconds

	units int = iota
)

// names are the units' keys in a table and in goldens.
var names = [units]string{
	Input: "input", InputAudio: "input_audio", InputImage: "input_image", InputVideo: "input_video",
	Output: "output", OutputAudio: "output_audio", OutputImage: "output_image", OutputVideo: "output_video",
	CacheRead: "cache_read", CacheReadAudio: "cache_read_audio", CacheReadImage: "cache_read_image", CacheReadVideo: "cache_read_video",
	CacheWrite5m: "cache_write_5m", CacheWrite1h: "cache_write_1h",
	Characters: "characters", Images: "images", Pages: "pages", Requests: "requests", WebSearch: "web_search",
	FileSearch: "file_search", Containers: "containers", Credits: "credits", Audio: "audio", Video: "video", Compute: "compute",
}

var byName = func() map[string]Unit {
	m := make(map[string]Unit, units)
	for u, name := range names {
		m[name] = Unit(u)
	}
	return m
}()

// String returns the unit's key in a table, such as "input_audio".
func (u Unit) String() string {
	if int(u) < units {
		return names[u]
	}
	return "unknown"
}

// timed reports whether the unit is a length of time.
func (u Unit) timed() bool { return u == Audio || u == Video || u == Compute }

// scale is what one of what a price is per has in the unit: prices of time are per seconds.
func (u Unit) scale() int64 {
	switch {
	case u.timed():
		return 1_000_000_000
	case u == Credits:
		return 1_000_000
	}
	return 1
}

// isInput reports whether the unit is tokens of the request, cached or not.
func (u Unit) isInput() bool {
	return u <= InputVideo || u >= CacheRead && u <= CacheWrite1h
}

// isTool reports whether the unit is of a tool that the provider runs beside the model.
func (u Unit) isTool() bool { return u == WebSearch || u == FileSearch || u == Containers }

// Valid reports whether the unit is one of this package.
func (u Unit) Valid() bool { return int(u) < units }
