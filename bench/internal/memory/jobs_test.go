package memory

import "testing"

func TestTotalsOfManyJobsAreExact(t *testing.T) {
	p, err := newPlant()
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	p.run(2000)
	if err := p.exact(2000); err != nil {
		t.Error(err)
	}
	if err := p.exact(2001); err == nil {
		t.Error("one job too few was not noticed")
	}
}
