// Package release tests the library as a user gets it: packed as a module and built outside of this workspace, and with
// both halves together, recording and exporting. It has no code of its own. RELEASING.md in the root has the steps of a
// release.
package release
