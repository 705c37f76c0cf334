// Package trial runs random programs and compares every number that package instrument has recorded
// with what the program has really done. The program keeps books of its own: the rules of the guide,
// written down a second time in plain code, which asks the library nothing. The package has no code of
// its own outside of its tests.
package trial
