// Package terminal runs `stagemeter top` in a terminal, against live pages of real jobs. It has only tests.
package terminal
