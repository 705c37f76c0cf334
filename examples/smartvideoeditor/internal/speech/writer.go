package speech

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The chat model makes nothing up: it takes words out of what it is given. The same question always
// has the same answer.
const (
	titleWords    = 6
	sentenceLong  = 14 // words; what has no full stops, as speech that was recognized, is cut there
	sentenceShort = 4  // words
	sentences     = 2  // of a summary
)

// reply answers a question. If that is JSON with a transcript and the words of chapters, the answer
// is JSON with a title of each chapter and a summary; else it is a summary of the question.
func reply(question string) string {
	var about struct {
		Transcript string
		Chapters   []string
	}
	if err := json.Unmarshal([]byte(question), &about); err != nil {
		return summary(question)
	}
	answer := struct {
		Titles  []string `json:"titles"`
		Summary string   `json:"summary"`
	}{[]string{}, summary(about.Transcript)}
	for _, words := range about.Chapters {
		answer.Titles = append(answer.Titles, title(words))
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return ""
	}
	return string(text)
}

// title is the first words of a text, without those that begin or end nothing.
func title(text string) string {
	words := strings.Fields(text)
	for len(words) > titleWords/2 && small[strings.ToLower(words[0])] {
		words = words[1:]
	}
	words = words[:min(len(words), titleWords)]
	for len(words) > 1 && small[strings.ToLower(words[len(words)-1])] {
		words = words[:len(words)-1]
	}
	if len(words) == 0 {
		return "Without words"
	}
	return capital(strings.TrimRightFunc(strings.Join(words, " "), unicode.IsPunct))
}

// summary is the sentences of a text whose words are most often in it, in their order. A few words
// are no sentence if there are others.
func summary(text string) string {
	parts := split(text)
	long := func(sentence string) bool { return strings.Count(sentence, " ") >= sentenceShort-1 }
	if slices.ContainsFunc(parts, long) {
		parts = slices.DeleteFunc(parts, func(sentence string) bool { return !long(sentence) })
	}
	often := make(map[string]int)
	for _, p := range parts {
		for _, w := range strings.Fields(strings.ToLower(p)) {
			if !small[w] {
				often[w]++
			}
		}
	}
	weight := func(sentence string) float64 {
		words := strings.Fields(strings.ToLower(sentence))
		sum := 0
		for _, w := range words {
			sum += often[w]
		}
		return float64(sum) / float64(len(words))
	}
	order := make([]int, len(parts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(weight(parts[b]), weight(parts[a])) })
	order = order[:min(len(order), sentences)]
	slices.Sort(order)
	var chosen []string
	for _, i := range order {
		chosen = append(chosen, capital(parts[i])+".")
	}
	return strings.Join(chosen, " ")
}

// split cuts a text into sentences, without their full stops. A line is a sentence too.
func split(text string) (list []string) {
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == '.' || r == '!' || r == '?' || r == '\n' }) {
		for words := range slices.Chunk(strings.Fields(part), sentenceLong) {
			list = append(list, strings.Join(words, " "))
		}
	}
	return list
}

// capital begins a text with a capital letter.
func capital(text string) string {
	r, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(r)) + text[size:]
}

// small are words that say nothing by themselves.
var small = func() map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields("a an and are as at be but by for from in is it now of on or so that the then this to was with you your") {
		m[w] = true
	}
	return m
}()

// tokenRunes is how many letters a token has at most.
const tokenRunes = 6

// tokens cuts a text into tokens: letters and digits, with the blank before them, or one other
// character. No token is empty, so there are never more tokens than bytes.
func tokens(text string) (list []string) {
	for len(text) > 0 {
		end, runes := 0, 0
		if text[0] == ' ' {
			end = 1
		}
		for end < len(text) && runes < tokenRunes {
			r, size := utf8.DecodeRuneInString(text[end:])
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
				break
			}
			end, runes = end+size, runes+1
		}
		if runes == 0 {
			_, end = utf8.DecodeRuneInString(text)
		}
		list, text = append(list, text[:end]), text[end:]
	}
	return list
}
