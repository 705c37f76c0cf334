package budgettest

import (
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

const (
	unlimited = money.Unlimited
	dollar    = money.Dollar
)

// Amounts that no ledger may book.
var (
	notANumber = money.Dollars(nan)
	infinite   = money.Dollars(inf)
)

var (
	exceeded = budget.ErrExceeded
	conflict = budget.ErrConflict
	invalid  = budget.ErrInvalid
)

var scripts = []script{
	// Reserve.
	{"reserve up to the limit and no more", 10, []step{
		reserve("a", 6).gives(0, 6),
		reserve("b", 5).fails(exceeded).gives(0, 6),
		reserve("c", 4).gives(0, 10),
		reserve("d", 1).fails(exceeded).gives(0, 10),
	}},
	{"a refusal holds nothing", 10, []step{
		reserve("a", 11).fails(exceeded).gives(0, 0),
		reserve("a", 11).fails(exceeded).gives(0, 0),
		reserve("a", 10).gives(0, 10),
	}},
	{"what was spent counts against the limit", 10, []step{
		settle("a", 7).gives(7, 0).from(0),
		reserve("b", 4).fails(exceeded).gives(7, 0),
		reserve("c", 3).gives(7, 3),
	}},
	{"without an estimate a call passes while anything is left", 10, []step{
		settle("a", 9).gives(9, 0).from(0),
		reserve("b", 0).gives(9, 0),
		settle("b", 1).gives(10, 0).from(9),
		reserve("c", 0).fails(exceeded).gives(10, 0),
	}},
	{"what is only held is not left either", 10, []step{
		reserve("a", 10).gives(0, 10),
		reserve("b", 0).fails(exceeded).gives(0, 10),
		release("a").gives(0, 0),
		reserve("b", 0).gives(0, 0),
	}},
	{"reserve twice holds once", 10, []step{
		reserve("a", 6).gives(0, 6),
		reserve("a", 6).gives(0, 6),
		reserve("a", 7).fails(conflict),
		look(0, 6),
		settle("a", 6).gives(6, 0).from(0),
	}},
	{"reserve again after the end holds nothing", 10, []step{
		reserve("a", 6).gives(0, 6),
		settle("a", 6).gives(6, 0).from(0),
		reserve("a", 3).orNot(),
		look(6, 0),
	}},

	// Settle.
	{"settle below the hold frees the rest", 10, []step{
		reserve("a", 10).gives(0, 10),
		settle("a", 4).gives(4, 0).from(0),
		reserve("b", 6).gives(4, 6),
	}},
	{"settle above the hold books all of it", 10, []step{
		reserve("a", 3).gives(0, 3),
		reserve("b", 3).gives(0, 6),
		settle("a", 5).gives(5, 3).from(0),
	}},
	{"settle above the limit is not refused", 10, []step{
		reserve("a", 10).gives(0, 10),
		settle("a", 25).gives(25, 0).from(0),
		settle("b", 5).gives(30, 0).from(25),
		reserve("c", 0).fails(exceeded).gives(30, 0),
	}},
	{"settle nothing ends the hold", 10, []step{
		reserve("a", 10).gives(0, 10),
		settle("a", 0).gives(0, 0),
		reserve("b", 10).gives(0, 10),
	}},
	{"settle twice books once", 10, []step{
		reserve("a", 3).gives(0, 3),
		settle("a", 3).gives(3, 0).from(0),
		settle("a", 3).gives(3, 0),
	}},
	{"settle again with another cost is an error and books nothing", 10, []step{
		reserve("a", 3).gives(0, 3),
		settle("a", 3).gives(3, 0).from(0),
		settle("a", 4).fails(conflict),
		settle("a", 0).fails(conflict),
		look(3, 0),
	}},
	{"settle what nobody reserved books it, once", 10, []step{
		settle("a", 3).gives(3, 0).from(0),
		settle("a", 3).gives(3, 0),
		settle("a", 4).fails(conflict),
		look(3, 0),
	}},

	// Release.
	{"release frees the hold", 10, []step{
		reserve("a", 10).gives(0, 10),
		release("a").gives(0, 0),
		reserve("b", 10).gives(0, 10),
	}},
	{"release twice frees once", 10, []step{
		reserve("a", 3).gives(0, 3),
		reserve("b", 3).gives(0, 6),
		release("a").gives(0, 3),
		release("a").gives(0, 3),
	}},
	{"release what nobody knows changes nothing", 10, []step{
		reserve("a", 3).gives(0, 3),
		release("b").gives(0, 3),
	}},
	{"release after settle gives nothing back", 10, []step{
		reserve("a", 3).gives(0, 3),
		settle("a", 3).gives(3, 0).from(0),
		release("a").gives(3, 0),
		settle("a", 3).gives(3, 0),
	}},
	{"settle after release books it, once", 10, []step{
		reserve("a", 3).gives(0, 3),
		release("a").gives(0, 0),
		settle("a", 3).gives(3, 0).from(0),
		settle("a", 3).gives(3, 0),
		settle("a", 4).fails(conflict),
		look(3, 0),
	}},

	// Limits.
	{"a limit of 0 refuses every call", 0, []step{
		reserve("a", 0).fails(exceeded).gives(0, 0),
		reserve("b", 1).fails(exceeded).gives(0, 0),
		settle("c", 2).gives(2, 0).from(0),
	}},
	{"unlimited refuses none", unlimited, []step{
		reserve("a", 1_000_000*dollar).gives(0, 1_000_000*dollar),
		settle("a", 2_000_000*dollar).gives(2_000_000*dollar, 0).from(0),
		reserve("b", 1).gives(2_000_000*dollar, 1),
	}},
	{"a limit lowered below what is spent holds", 10, []step{
		reserve("a", 4).gives(0, 4),
		settle("b", 6).gives(6, 4).from(0),
		setLimit(5),
		look(6, 4),
		reserve("c", 0).fails(exceeded).gives(6, 4),
		settle("a", 4).gives(10, 0).from(6),
	}},
	{"a limit that was raised holds", 10, []step{
		settle("a", 10).gives(10, 0).from(0),
		setLimit(15),
		reserve("b", 6).fails(exceeded).gives(10, 0),
		reserve("b", 5).gives(10, 5),
		setLimit(unlimited),
		reserve("c", 100).gives(10, 105),
		setLimit(0),
		reserve("d", 0).fails(exceeded).gives(10, 105),
	}},

	// Amounts.
	{"no hold of an invalid amount", 10, []step{
		reserve("a", -1).fails(invalid),
		reserve("a", notANumber).fails(invalid),
		reserve("a", infinite).fails(invalid),
		look(0, 0),
		reserve("a", 3).gives(0, 3),
	}},
	{"no booking of an invalid amount", 10, []step{
		reserve("a", 3).gives(0, 3),
		settle("a", -1).fails(invalid),
		settle("a", notANumber).fails(invalid),
		settle("a", infinite).fails(invalid),
		look(0, 3),
		settle("a", 3).gives(3, 0).from(0),
	}},
	{"no account with a negative limit", 10, []step{
		setLimit(-1).fails(invalid),
	}},
	{"exact to the nano-dollar", 1_000_000 * dollar, []step{
		settle("a", 999_999*dollar).gives(999_999*dollar, 0).from(0),
		settle("b", 1).gives(999_999*dollar+1, 0).from(999_999 * dollar),
		reserve("c", dollar).fails(exceeded).gives(999_999*dollar+1, 0),
		reserve("c", dollar-1).gives(999_999*dollar+1, dollar-1),
	}},
}
