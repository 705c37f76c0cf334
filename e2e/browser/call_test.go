package browser

import (
	"unicode"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// call runs a command of the browser's protocol.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	result, err := chromedp.Call(b.ctx, command, params)
	if err != nil {
		b.t.Fatalf("%s: %v", command.Method, err)
	}
	return result
}

// special are the keys that write nothing, or something else than their name.
var special = map[string]input.DispatchKeyEventParams{
	"Enter":  {Code: "Enter", WindowsVirtualKeyCode: 13, Text: "\r"},
	"Escape": {Code: "Escape", WindowsVirtualKeyCode: 27},
	"Tab":    {Code: "Tab", WindowsVirtualKeyCode: 9},
	"/":      {Code: "Slash", WindowsVirtualKeyCode: 191, Text: "/"},
	" ":      {Code: "Space", WindowsVirtualKeyCode: 32, Text: " "},
}

// press presses keys one after the other, each as a keyboard does: where the page prevents what a key does, it does not
// write either.
func (b *tab) press(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		down, ok := special[key]
		if !ok {
			r := []rune(key)[0]
			down = input.DispatchKeyEventParams{Code: "Key" + string(unicode.ToUpper(r)), WindowsVirtualKeyCode: int64(unicode.ToUpper(r)), Text: key}
		}
		down.Key, down.NativeVirtualKeyCode, down.UnmodifiedText = key, down.WindowsVirtualKeyCode, down.Text
		down.Type = input.DispatchKeyEventTypeKeyDown
		if down.Text == "" {
			down.Type = input.DispatchKeyEventTypeRawKeyDown
		}
		call(b, input.DispatchKeyEvent, down)
		up := down
		up.Type, up.Text, up.UnmodifiedText = input.DispatchKeyEventTypeKeyUp, "", ""
		call(b, input.DispatchKeyEvent, up)
	}
}

// shiftTab moves the focus back.
func (b *tab) shiftTab() {
	b.t.Helper()
	const shift = 8
	down := special["Tab"]
	down.Key, down.Modifiers, down.Type = "Tab", shift, input.DispatchKeyEventTypeRawKeyDown
	call(b, input.DispatchKeyEvent, down)
	down.Type = input.DispatchKeyEventTypeKeyUp
	call(b, input.DispatchKeyEvent, down)
}

// focus says what has the focus: its id, label or text.
func (b *tab) focus() string {
	b.t.Helper()
	return eval[string](b, `(e => e.id || e.getAttribute("aria-label") || words(e).slice(0, 40))(document.activeElement)`)
}
