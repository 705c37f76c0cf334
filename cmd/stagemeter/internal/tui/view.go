package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/board"
)

// The colors are the terminal's own sixteen, which fit its background.
var looks = map[board.Tone]lipgloss.Style{
	board.Soft:   lipgloss.NewStyle().Faint(true),
	board.Strong: lipgloss.NewStyle().Bold(true),
	board.Good:   lipgloss.NewStyle().Foreground(lipgloss.Green),
	board.Warn:   lipgloss.NewStyle().Foreground(lipgloss.Yellow),
	board.Bad:    lipgloss.NewStyle().Foreground(lipgloss.Red),
}

// View returns the screen. No line of it is wider than the terminal, and there are no more than fit.
func (m *Model) View() tea.View {
	var text strings.Builder
	lines := m.lines()
	for i, l := range lines {
		if i > 0 {
			text.WriteByte('\n')
		}
		for _, s := range l.Cut(m.width) {
			if look, ok := looks[s.Tone]; ok {
				text.WriteString(look.Render(s.Text))
			} else {
				text.WriteString(s.Text)
			}
		}
	}
	v := tea.NewView(text.String())
	v.AltScreen = true
	if m.typing {
		if v.Cursor = m.input.Cursor(); v.Cursor != nil {
			v.Cursor.X = min(ansi.StringWidth(m.input.Prompt+string([]rune(m.input.Value())[:m.input.Position()])), m.width-1)
			v.Cursor.Y = len(lines) - 1
		}
	}
	return v
}

// lines returns the lines of the screen from the top to the last line, which has the keys.
func (m *Model) lines() []board.Line {
	var body []board.Line
	room := m.height - 1
	switch {
	case m.help:
		body = help
	case m.open != nil:
		body = m.detail()
		body = body[min(m.scroll, max(0, len(body)-room)):]
	default:
		above := m.above()
		body = append(above, m.table(max(1, room-len(above)))...)
	}
	body = body[:min(len(body), room)]
	for len(body) < room {
		body = append(body, nil)
	}
	return append(body, m.foot())
}

// above returns the lines above the rows.
func (m *Model) above() []board.Line {
	link := m.shown.Link(m.Now())
	if m.paused {
		link = board.Span{Text: "‖ paused", Tone: board.Warn}
	}
	left := board.Line{{Text: "stagemeter top", Tone: board.Strong}, {Text: "  " + m.shown.Who()}}
	left = left.Cut(max(0, m.width-ansi.StringWidth(link.Text)-2))
	space := max(0, m.width-left.Width()-ansi.StringWidth(link.Text))
	lines := []board.Line{append(left, board.Span{Text: strings.Repeat(" ", space)}, link)}
	if s := m.shown.Summary(len(m.rows())); s != nil {
		lines = append(lines, s)
	}
	most := 4
	if m.height < 16 {
		most = 1
	}
	lines = append(lines, board.AtMost(m.shown.Lost(m.Now()), most)...)
	lines = append(lines, board.AtMost(m.shown.Attention(), most)...)
	if m.height >= 16 {
		lines = append(lines, nil)
	}
	return append(lines, m.shown.Head(m.width))
}

// room returns how many rows fit.
func (m *Model) room() int { return max(1, m.height-1-len(m.above())) }

// table returns the rows that fit, the selected one among them.
func (m *Model) table(room int) []board.Line {
	rows := m.rows()
	if len(rows) == 0 {
		return []board.Line{{{Text: "  " + m.none(), Tone: board.Soft}}}
	}
	at := m.at(rows)
	m.top = max(at-room+1, min(m.top, at, len(rows)-room), 0)
	var lines []board.Line
	for i := m.top; i < min(len(rows), m.top+room); i++ {
		lines = append(lines, m.shown.Line(rows[i], i == at, m.width))
	}
	return lines
}

// none returns why there is no row.
func (m *Model) none() string {
	switch {
	case m.filter() != "":
		return "No job matches. Esc shows all."
	case m.shown.Answered():
		return "No job is running."
	default:
		return ""
	}
}

// detail returns the lines about the open job.
func (m *Model) detail() []board.Line {
	if r := m.shown.Find(*m.open); r != nil {
		return m.shown.Detail(*r)
	}
	switch {
	case m.shown.Restarted(*m.open):
		return []board.Line{{{Text: "The process has restarted. What happened before is in its metrics and traces."}}}
	case m.gone:
		return []board.Line{{{Text: "This job is no longer kept."}}}
	case m.found != nil:
		return m.shown.Detail(*m.shown.Found(*m.open, m.found))
	default:
		return []board.Line{{{Text: "Looking for this job…"}}}
	}
}

func (m *Model) foot() board.Line {
	switch {
	case m.typing:
		return board.Line{{Text: m.input.Prompt + m.input.Value()}}
	case m.help:
		return board.Line{{Text: "any key: back  q quit", Tone: board.Soft}}
	case m.open != nil:
		return board.Line{{Text: "Esc back  ↑ ↓ scroll  p pause  ? help  q quit", Tone: board.Soft}}
	}
	keys := "/ filter  s sort: " + m.Order + "  Enter details  p pause  ? help  q quit"
	if f := m.filter(); f != "" {
		return board.Line{{Text: "/" + f, Tone: board.Strong}, {Text: "  Esc clears  " + strings.TrimPrefix(keys, "/ filter  "), Tone: board.Soft}}
	}
	return board.Line{{Text: keys, Tone: board.Soft}}
}

var help = func() []board.Line {
	lines := []board.Line{{{Text: "stagemeter top", Tone: board.Strong}}, nil}
	for _, k := range [][2]string{
		{"/", "filter by job, stage or worker; Enter keeps it, Esc clears it"},
		{"s  S", "sort by need, age, cost, eta or id; S backwards"},
		{"↑ ↓  j k", "select a job; PgUp, PgDn, Home and End too"},
		{"Enter", "the details of the selected job; Esc closes them"},
		{"p", "pause, and go on"},
		{"?", "this list"},
		{"q  Ctrl-C", "quit"},
	} {
		lines = append(lines, board.Line{{Text: "  " + k[0] + strings.Repeat(" ", 12-ansi.StringWidth(k[0])), Tone: board.Strong}, {Text: k[1]}})
	}
	lines = append(lines, nil)
	for _, text := range []string{
		"‖ stalled: it makes no progress       ◔ overdue: most earlier runs were faster",
		"$ over its budget, or above 80 %      ↻ a further attempt",
		"? calls without a price               ✕ its worker does not answer",
		"≈ is an estimate. unknown and unpriced are not 0.",
	} {
		lines = append(lines, board.Line{{Text: "  " + text, Tone: board.Soft}})
	}
	return lines
}()
