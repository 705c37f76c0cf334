// Package tui is the screen of `stagemeter top`: a board that it updates at an interval, and keys.
package tui

import (
	"context"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/board"
	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/feed"
)

// A Source requests answers of the workers of a board, by their numbers. It is safe for concurrent
// use.
type Source interface {
	Snapshot(ctx context.Context, worker int, match string) (*feed.Snapshot, error)
	// Job returns nil, nil if the worker does not remember the run.
	Job(ctx context.Context, worker int, run string) (*feed.Answer, error)
}

// Settings are the settings of a new Model.
type Settings struct {
	Board    *board.Board
	Source   Source
	Interval time.Duration // between two questions
	Filter   string
	Order    string           // one of board.Orders
	Now      func() time.Time // time.Now in a program
}

// A Model is the state of the screen, a [tea.Model].
type Model struct {
	Settings
	ctx    context.Context // of the questions
	live   *board.Board    // as the workers answer
	shown  *board.Board    // live, or a copy of it while paused
	asked  []question      // by worker
	width  int
	height int

	input    textinput.Model
	typing   bool
	help     bool
	paused   bool
	selected board.Key
	top      int // the first row on the screen

	open   *board.Key
	found  *feed.Answer // about open, if it is in no snapshot of its worker
	gone   bool         // the worker does not remember open
	scroll int
}

// A question is the last request to a worker.
type question struct {
	flying bool
	again  bool // ask again after the answer, since the filter has changed
	match  string
}

type (
	tickMsg   struct{}
	answerMsg struct {
		worker int
		match  string
		at     time.Time
		snap   *feed.Snapshot
		err    error
	}
	jobMsg struct {
		key    board.Key
		answer *feed.Answer
		err    error
	}
)

// New returns a model whose requests end with ctx.
func New(ctx context.Context, s Settings) *Model {
	in := textinput.New()
	in.Prompt = "/"
	in.CharLimit = 200
	in.SetVirtualCursor(false)
	in.KeyMap.Paste.SetEnabled(false) // the terminal pastes; this key would run programs such as xclip
	in.SetStyles(textinput.Styles{})
	in.SetValue(s.Filter)
	return &Model{Settings: s, ctx: ctx, live: s.Board, shown: s.Board, asked: make([]question, len(s.Board.Workers)), input: in, width: 80, height: 24}
}

// Init asks all workers.
func (m *Model) Init() tea.Cmd { return tea.Batch(append(m.askAll(), m.tick())...) }

func (m *Model) tick() tea.Cmd {
	return tea.Tick(m.Interval, func(time.Time) tea.Msg { return tickMsg{} })
}

// askAll returns a command for each worker that does not owe an answer.
func (m *Model) askAll() []tea.Cmd {
	var cmds []tea.Cmd
	for i := range m.asked {
		if !m.asked[i].flying {
			cmds = append(cmds, m.ask(i))
		}
	}
	return cmds
}

func (m *Model) ask(i int) tea.Cmd {
	match := m.live.Match(i, m.filter())
	m.asked[i] = question{flying: true, match: match}
	return func() tea.Msg {
		snap, err := m.Source.Snapshot(m.ctx, i, match)
		return answerMsg{i, match, m.Now(), snap, err}
	}
}

// askJob asks for the open job if no snapshot has it.
func (m *Model) askJob() tea.Cmd {
	if m.open == nil || m.live.Find(*m.open) != nil || m.live.Restarted(*m.open) {
		return nil
	}
	key := *m.open
	return func() tea.Msg {
		a, err := m.Source.Job(m.ctx, key.Worker, string(key.Run))
		return jobMsg{key, a, err}
	}
}

// refilter asks at once those workers that have to filter.
func (m *Model) refilter() tea.Cmd {
	m.top = 0
	var cmds []tea.Cmd
	for i := range m.asked {
		q := &m.asked[i]
		switch {
		case q.match == m.live.Match(i, m.filter()):
		case q.flying:
			q.again = true
		default:
			cmds = append(cmds, m.ask(i))
		}
	}
	return tea.Batch(cmds...)
}

func (m *Model) filter() string { return feed.Clean(m.input.Value()) }

// Update takes a message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = max(msg.Width, 1), max(msg.Height, 1)
	case tickMsg:
		return m, tea.Batch(append(m.askAll(), m.tick())...)
	case answerMsg:
		return m, m.answered(msg)
	case jobMsg:
		if m.open != nil && *m.open == msg.key && msg.err == nil {
			if m.gone = msg.answer == nil; !m.gone {
				m.found = msg.answer
			}
		}
	case tea.KeyPressMsg:
		return m, m.key(msg)
	case tea.PasteMsg:
		if m.typing {
			return m, m.typed(msg)
		}
	}
	return m, nil
}

func (m *Model) answered(a answerMsg) tea.Cmd {
	again := m.asked[a.worker].again
	m.asked[a.worker].flying = false
	m.live.Answer(a.worker, a.at, a.match, a.snap, a.err)
	if again {
		return tea.Batch(m.ask(a.worker), m.askJob())
	}
	return m.askJob()
}

func (m *Model) key(k tea.KeyPressMsg) tea.Cmd {
	name := k.String()
	if name == "ctrl+c" {
		return tea.Quit
	}
	if m.typing {
		switch name {
		case "enter":
			m.typing = false
			m.input.Blur()
			return nil
		case "esc":
			m.typing = false
			m.input.Blur()
			m.input.Reset()
			return m.refilter()
		}
		return m.typed(k)
	}
	switch name {
	case "q":
		return tea.Quit
	case "ctrl+z":
		return tea.Suspend
	case "?":
		m.help = !m.help
		return nil
	case "p", "space":
		m.pause()
		return nil
	}
	switch {
	case m.help:
		m.help = false
	case m.open != nil:
		m.keyInDetail(name)
	default:
		return m.keyInTable(name)
	}
	return nil
}

func (m *Model) typed(msg tea.Msg) tea.Cmd {
	before := m.filter()
	var cmd tea.Cmd
	m.input, cmd = m.input.Update(msg)
	if clean := feed.Clean(m.input.Value()); clean != strings.TrimSpace(m.input.Value()) {
		m.input.SetValue(clean) // pasted
	}
	if m.filter() != before {
		return tea.Batch(cmd, m.refilter())
	}
	return cmd
}

func (m *Model) pause() {
	if m.paused = !m.paused; m.paused {
		m.shown = m.live.Clone()
	} else {
		m.shown = m.live
	}
}

func (m *Model) keyInDetail(name string) {
	page := max(1, m.height-2)
	switch name {
	case "esc", "enter", "backspace", "left", "h":
		m.open, m.found, m.gone, m.scroll = nil, nil, false, 0
		return
	case "down", "j":
		m.scroll++
	case "up", "k":
		m.scroll--
	case "pgdown":
		m.scroll += page
	case "pgup":
		m.scroll -= page
	case "home", "g":
		m.scroll = 0
	case "end", "G":
		m.scroll = 1 << 20
	}
	m.scroll = max(0, min(m.scroll, len(m.detail())-page))
}

func (m *Model) keyInTable(name string) tea.Cmd {
	switch name {
	case "/":
		m.typing = true
		m.input.CursorEnd()
		return m.input.Focus()
	case "s", "S":
		by := 1
		if name == "S" {
			by = len(board.Orders) - 1
		}
		m.Order = board.Orders[(slices.Index(board.Orders, m.Order)+by)%len(board.Orders)]
		m.top = 0
	case "esc":
		if m.filter() != "" {
			m.input.Reset()
			return m.refilter()
		}
	case "enter", "right", "l":
		if rows := m.rows(); len(rows) > 0 {
			key := rows[m.at(rows)].Key
			m.open, m.scroll = &key, 0
		}
	case "down", "j":
		m.move(1)
	case "up", "k":
		m.move(-1)
	case "pgdown":
		m.move(m.room())
	case "pgup":
		m.move(-m.room())
	case "home", "g":
		m.move(-1 << 20)
	case "end", "G":
		m.move(1 << 20)
	}
	return nil
}

func (m *Model) rows() []board.Row { return m.shown.Rows(m.filter(), m.Order) }

// at returns the index of the selected row, or 0 if the selected job is not there.
func (m *Model) at(rows []board.Row) int {
	return max(0, slices.IndexFunc(rows, func(r board.Row) bool { return r.Key == m.selected }))
}

func (m *Model) move(by int) {
	rows := m.rows()
	if len(rows) == 0 {
		return
	}
	m.selected = rows[max(0, min(len(rows)-1, m.at(rows)+by))].Key
}
