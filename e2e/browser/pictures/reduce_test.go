package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"
)

// A picture with many colors keeps its surfaces exactly, and the others nearly.
func TestReduce(t *testing.T) {
	from := image.NewRGBA(image.Rect(0, 0, 300, 300))
	surface := color.RGBA{R: 245, G: 246, B: 249, A: 255}
	for y := range 300 {
		for x := range 300 {
			from.SetRGBA(x, y, surface)
			if y < 100 {
				from.SetRGBA(x, y, color.RGBA{R: uint8(x * 255 / 299), G: uint8(y * 2), B: 90, A: 255})
			}
		}
	}
	var text bytes.Buffer
	if err := png.Encode(&text, from); err != nil {
		t.Fatal(err)
	}
	small, err := reduce(text.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	to, err := png.Decode(bytes.NewReader(small))
	if err != nil {
		t.Fatal(err)
	}
	paletted, ok := to.(*image.Paletted)
	if !ok || len(paletted.Palette) > 256 || to.Bounds() != from.Bounds() {
		t.Fatalf("it is %T of %v", to, to.Bounds())
	}
	if got := color.RGBAModel.Convert(to.At(20, 250)); got != surface {
		t.Errorf("the surface is %v, want %v", got, surface)
	}
	for y := 0; y < 100; y += 9 {
		for x := 0; x < 300; x += 7 {
			want, got := from.RGBAAt(x, y), color.RGBAModel.Convert(to.At(x, y)).(color.RGBA)
			if d := apart(want.R, got.R) + apart(want.G, got.G) + apart(want.B, got.B); d > 80 {
				t.Fatalf("at %d, %d it is %v, want about %v", x, y, got, want)
			}
		}
	}
}
