package media

import "time"

// frameInfo is the spatial and temporal information of one frame.
type frameInfo struct {
	at             time.Duration
	detail, motion float64
}

// picture has the output of the video filters scdet and siti.
type picture struct {
	cuts   []time.Duration
	frames []frameInfo
}

func (p *picture) add(at time.Duration, key string, value float64) {
	switch key {
	case "lavfi.scd.time": // only a frame at a cut has it
		p.cuts = append(p.cuts, at)
	case "lavfi.siti.si":
		p.frames = append(p.frames, frameInfo{at: at, detail: value})
	case "lavfi.siti.ti":
		if last := len(p.frames) - 1; last >= 0 && p.frames[last].at == at {
			p.frames[last].motion = value
		}
	}
}

// measure fills in the segments' Detail and Motion.
func (p picture) measure(segments []Segment) {
	next := 0
	for i := range segments {
		s := &segments[i]
		last := i == len(segments)-1
		count := 0
		var detail, motion float64
		for ; next < len(p.frames) && (last || p.frames[next].at < s.End); next++ {
			detail += p.frames[next].detail
			if count > 0 {
				motion += p.frames[next].motion
			}
			count++
		}
		if count > 0 {
			s.Detail = detail / float64(count)
		}
		if count > 1 {
			s.Motion = motion / float64(count-1)
		}
	}
}
