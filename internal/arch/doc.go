// Package arch tests the rules of the source tree: which package may import which, that every package
// has a comment, that no file has more than one noun, that only package money adds amounts by operators,
// that code on pages compiles, and that docs/architecture.md shows the tree as it is. It has no code
// of its own.
package arch
