package main

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"slices"
)

// reduce makes a picture of at most 256 colors, in PNG, of one of a page: that has few colors, but many between them at
// the edges of its letters. Each color becomes the nearest one of those that are used most.
func reduce(picture []byte) ([]byte, error) {
	from, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, err
	}
	bounds := from.Bounds()
	used := make(map[color.RGBA]int)
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(from.At(x, y)).(color.RGBA) }
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			used[at(x, y)]++
		}
	}
	to := image.NewPaletted(bounds, palette(used))
	index := make(map[color.RGBA]uint8, len(used))
	for c := range used {
		index[c] = uint8(to.Palette.Index(c))
	}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			to.SetColorIndex(x, y, index[at(x, y)])
		}
	}
	var out bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, to)
	return out.Bytes(), err
}

// palette returns the colors that are used most. Of those that look alike, by the sum of their differences, it has one.
func palette(used map[color.RGBA]int) color.Palette {
	const most, surfaces = 256, 32 // the surfaces are all as they are
	list := make([]color.RGBA, 0, len(used))
	for c := range used {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(used[b], used[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var chosen []color.RGBA
	for alike := 6; ; alike += 6 {
		chosen = chosen[:0]
		for _, c := range list {
			near := func(o color.RGBA) bool { return apart(c.R, o.R)+apart(c.G, o.G)+apart(c.B, o.B) < alike }
			if len(chosen) < surfaces || !slices.ContainsFunc(chosen, near) {
				chosen = append(chosen, c)
			}
			if len(chosen) > most {
				break
			}
		}
		if len(chosen) <= most {
			break
		}
	}
	all := make(color.Palette, len(chosen))
	for i, c := range chosen {
		all[i] = c
	}
	return all
}

func apart(a, b uint8) int { return max(int(a), int(b)) - min(int(a), int(b)) }
